create function interlock.confirm_cancel(p_job_id text, p_token bigint, p_error jsonb default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_release record;
  v_job record;
begin
  select j.cancel_requested_at, j.cancel_reason, j.agent_id
  into v_job
  from interlock.jobs as j
  where j.id = p_job_id
    and j.token = p_token;
  if found and v_job.cancel_requested_at is null then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('nobody asked job %s to stop', p_job_id),
      hint = 'Finish it by complete_jobs(), fail_job() or return_jobs().';
  end if;
  select r.reason, r.held into v_release from interlock.release_held(array[p_job_id], array[p_token]) as r;
  perform interlock.refuse_holder(p_job_id, p_token, v_release.reason);
  perform interlock.end_jobs(array[p_job_id], 'cancelled', interlock.clock(), v_job.cancel_reason, null, p_error);
  perform interlock.wake_and_ring(v_release.held, array[v_job.agent_id]);
end
$$;

comment on function interlock.confirm_cancel(text, bigint, jsonb) is
  'The holder says that the process of a job that was asked to stop is gone; only now are its resources free. Locks: as release_held(); then lanes that it wakes. Must be the first of its transaction (IL010). Raises IL001, IL002, IL003 where no cancelling was requested.';

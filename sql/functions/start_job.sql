create function interlock.start_job(p_job_id text, p_token bigint) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_reason text;
begin
  select s.reason
  into v_reason
  from interlock.start_jobs(array[p_job_id], array[p_token]) as s;
  if v_reason = 'cancel_requested' then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('job %s was asked to stop before it started', p_job_id),
      hint = 'Say that it has stopped, by confirm_cancel().';
  end if;
  perform interlock.refuse_holder(p_job_id, p_token, v_reason);
  return 'running';
end
$$;

comment on function interlock.start_job(text, bigint) is
  'start_jobs() for one job, where a refusal is an error: the holder confirms that it starts it. Returns running. Locks the job''s row. Raises IL001, IL002, IL003 where it was asked to stop.';

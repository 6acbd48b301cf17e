create function interlock.start_paused_job(p_job_id text, p_actor text default null, p_reason text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_job interlock.jobs;
begin
  v_job := interlock.lock_job(p_job_id);
  if v_job.status <> 'paused' then
    raise exception using errcode = 'IL003', message = pg_catalog.format('job %s is %s, not paused', p_job_id, v_job.status);
  end if;
  if v_job.permission_level = 'human_required' and v_job.approved_at is null then
    raise exception using
      errcode = 'IL008',
      message = pg_catalog.format('job %s waits for an approval', p_job_id),
      hint = 'Approve it, which starts it, or reject it.';
  end if;
  status := interlock.end_pause(v_job, 'due', p_reason, p_actor);
  return next;
end
$$;

comment on function interlock.start_paused_job(text, text, text) is
  'Lets a job that was added without starting wait for its turn. Returns pending, or scheduled where its time has not come. Locks the job''s row; insert-only towards the scheduler. Raises IL001, IL003, IL008 not_permitted where it waits for an approval: see approve_job().';

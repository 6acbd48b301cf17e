create function interlock.delete_job(p_job_id text, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_job record;
begin
  v_job := interlock.lock_job(p_job_id);
  if v_job.held is not null then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('job %s is %s and cannot be deleted', p_job_id, v_job.status),
      hint = 'Cancel it first.';
  end if;
  perform interlock.end_jobs(array[p_job_id], 'deleted', interlock.clock(), p_reason, p_actor);
  status := 'deleted';
  return next;
end
$$;

comment on function interlock.delete_job(text, text, text) is
  'Deletes a job that waits or has failed for good; its history stays. Returns deleted. Locks the job''s row; insert-only towards the scheduler. Raises IL001, IL003 where it runs or has ended.';

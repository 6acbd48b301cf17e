create function interlock.start_paused_job(p_job_id text, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_job record;
begin
  v_job := interlock.lock_job(p_job_id);
  if v_job.status <> 'paused' then
    raise exception using errcode = 'IL003', message = pg_catalog.format('job %s is %s, not paused', p_job_id, v_job.status);
  end if;
  perform interlock.move_jobs(array[p_job_id], 'pending', null, 'due', interlock.clock(), null, p_actor);
  perform interlock.ring(array[v_job.queue || '/' || v_job.permission_level]);
  status := 'pending';
  return next;
end
$$;

comment on function interlock.start_paused_job(text, text) is
  'Lets a job that was added without starting wait for its turn. Returns pending. Locks the job''s row; insert-only towards the scheduler. Raises IL001, IL003.';

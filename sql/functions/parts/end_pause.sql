create function interlock.end_pause(p_job interlock.jobs, p_event text, p_reason text, p_actor text) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  if p_job.run_at > v_now then
    perform interlock.move_jobs(array[p_job.id::text], 'scheduled', p_job.run_at, p_event, v_now, p_reason, p_actor);
    return 'scheduled';
  end if;
  perform interlock.move_jobs(array[p_job.id::text], 'pending', null, p_event, v_now, p_reason, p_actor);
  perform interlock.ring(array[p_job.queue || '/' || p_job.permission_level]);
  return 'pending';
end
$$;

comment on function interlock.end_pause(interlock.jobs, text, text, text) is
  'Lets a paused job wait for its time, where that has not come, or for its turn; returns scheduled or pending. Called with the job''s row locked.';

create function interlock.run_schedule(p_name text, p_actor text default null, p_key text default null)
returns table (job_id text, status text)
language plpgsql
set search_path = ''
as $$
declare
  v_schedule interlock.schedules;
begin
  v_schedule := interlock.lock_schedule(p_name);
  if p_key is null then
    select e.job_id, e.status
    into strict job_id, status
    from interlock.enqueue_jobs(pg_catalog.jsonb_build_array(v_schedule.job), coalesce(p_actor, 'schedule:' || p_name)) as e;
  else
    select e.job_id, e.status
    into strict job_id, status
    from interlock.enqueue_once(p_key, pg_catalog.jsonb_build_array(v_schedule.job), coalesce(p_actor, 'schedule:' || p_name)) as e;
  end if;
  update interlock.schedules as s
  set last_job_id = run_schedule.job_id
  where s.name = p_name;
  return next;
end
$$;

comment on function interlock.run_schedule(text, text, text) is
  'Enqueues the job of a schedule now, by hand, also where it is paused. Its slots stay as they are. With a key of the caller''s own once, as enqueue_once() does. Returns the job. Locks the schedule''s row, then as enqueue_jobs() or enqueue_once(). Raises IL014 schedule_not_found, and what those raise.';

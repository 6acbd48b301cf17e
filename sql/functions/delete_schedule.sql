create function interlock.delete_schedule(p_name text, p_actor text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_schedule interlock.schedules;
begin
  v_schedule := interlock.lock_schedule(p_name);
  delete from interlock.schedules as s
  where s.name = p_name;
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (interlock.clock(), 'schedule_deleted', p_actor,
    pg_catalog.jsonb_build_object('schedule', p_name, 'cron', v_schedule.cron, 'time_zone', v_schedule.time_zone, 'job', v_schedule.job));
end
$$;

comment on function interlock.delete_schedule(text, text) is
  'Deletes a schedule; the jobs that it has enqueued stay. Its settings are in the log. Locks the schedule''s row. Raises IL014 schedule_not_found.';

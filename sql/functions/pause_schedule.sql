create function interlock.pause_schedule(p_name text, p_paused boolean default true, p_actor text default null)
returns table (is_changed boolean, revision bigint)
language plpgsql
set search_path = ''
as $$
declare
  v_schedule interlock.schedules;
begin
  if p_paused is null then
    raise exception using errcode = 'IL005', message = 'paused must be true or false', column = 'paused';
  end if;
  v_schedule := interlock.lock_schedule(p_name);
  revision := v_schedule.revision;
  is_changed := v_schedule.is_paused <> p_paused;
  if is_changed then
    update interlock.schedules as s
    set is_paused = p_paused,
        -- Computed anew when it goes on: what its clock struck meanwhile is not made up for.
        next_at = '-infinity',
        revision = v_schedule.revision + 1
    where s.name = p_name;
    revision := v_schedule.revision + 1;
    insert into interlock.job_queue_log (created_at, event_type, actor, details)
    values (interlock.clock(), case when p_paused then 'schedule_paused' else 'schedule_resumed' end, p_actor, pg_catalog.jsonb_build_object('schedule', p_name));
  end if;
  return next;
end
$$;

comment on function interlock.pause_schedule(text, boolean, text) is
  'Pauses a schedule, or lets it go on: then from its next slot, with nothing made up for. Returns whether that changed anything. Locks the schedule''s row. Raises IL014 schedule_not_found, IL005.';

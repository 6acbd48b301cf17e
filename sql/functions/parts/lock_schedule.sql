create function interlock.lock_schedule(p_name text) returns interlock.schedules
language plpgsql
set search_path = ''
as $$
declare
  v_schedule interlock.schedules;
begin
  select s.*
  into v_schedule
  from interlock.schedules as s
  where s.name = p_name
  for no key update;
  if not found then
    raise exception using
      errcode = 'IL014',
      message = pg_catalog.format('schedule %s does not exist', p_name),
      column = 'name',
      hint = 'interlock schedule list shows those that there are.';
  end if;
  return v_schedule;
end
$$;

comment on function interlock.lock_schedule(text) is
  'Locks the row of a schedule and returns it. Raises IL014 schedule_not_found.';

create function interlock.take_alarm_deliveries(p_limit integer default 10)
returns table (id uuid, event text, data jsonb, created_at timestamptz, attempts integer)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  p_limit := interlock.row_limit(p_limit);
  return query
  with due as materialized (
    select d.id
    from interlock.alarm_deliveries as d
    where d.next_at <= v_now
    order by d.next_at
    limit p_limit
    for no key update skip locked
  )
  update interlock.alarm_deliveries as d
  set attempts = d.attempts + 1,
      next_at = v_now + interval '60 seconds'
  from due
  where d.id = due.id
  returning d.id, d.event, d.data, d.created_at, d.attempts;
end
$$;

comment on function interlock.take_alarm_deliveries(integer) is
  'Takes up to p_limit messages to a webhook whose time has come, each for a minute: who does not say in that time what became of one by settle_alarm_delivery() is believed dead, and another coordinator takes it. So a message may arrive twice, with the same id. Locks the rows, SKIP LOCKED. Raises IL005.';

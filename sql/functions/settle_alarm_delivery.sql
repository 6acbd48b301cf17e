create function interlock.settle_alarm_delivery(p_id uuid, p_problem text default null) returns text
language plpgsql
set search_path = ''
as $$
declare
  c_attempts constant integer := 10;
  v_now timestamptz := interlock.clock();
  v_delivery interlock.alarm_deliveries;
begin
  select d.* into v_delivery from interlock.alarm_deliveries as d where d.id = p_id for no key update;
  if not found then
    return 'gone';
  end if;
  if p_problem is not null and v_delivery.attempts < c_attempts and v_delivery.created_at > v_now - interval '1 day' then
    -- 5 s, 10 s, ... 1 h, each drawn from half of it to one and a half: a receiver that comes back is not met by all at once.
    update interlock.alarm_deliveries as d
    set next_at = v_now + least(3600, 5 * 2 ^ (d.attempts - 1)) * (0.5 + pg_catalog.random()) * interval '1 second',
        last_problem = pg_catalog.left(p_problem, 1000)
    where d.id = p_id;
    return 'again';
  end if;
  delete from interlock.alarm_deliveries as d where d.id = p_id;
  if p_problem is null then
    return 'delivered';
  end if;
  insert into interlock.job_queue_log (created_at, event_type, conflict_reason, details)
  values (v_now, 'alarm_undelivered', pg_catalog.left(p_problem, 1000), v_delivery.data || pg_catalog.jsonb_build_object('attempts', v_delivery.attempts));
  return 'given_up';
end
$$;

comment on function interlock.settle_alarm_delivery(uuid, text) is
  'Says what became of a message that was taken: it arrived (no problem), or why it did not. Then it comes again, later each time, at most ten times and for at most a day, and is given up after that (alarm_undelivered in the log). Returns delivered, again, given_up, or gone where another has settled it. Locks the row.';

create function interlock.settle_alarms(p_interval_seconds double precision default 5)
returns table (event text, rule text, subject text, value double precision, bound double precision, message text, raised_at timestamptz)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_policy interlock.alarm_policy;
begin
  if p_interval_seconds is null or p_interval_seconds not between 0 and 3600 then
    raise exception using errcode = 'IL005', message = 'interval_seconds must be from 0 to 3600', column = 'interval_seconds';
  end if;
  -- One coordinator looks at a time, and none again for a while: who finds the row locked, or looked at, has nothing to say.
  select p.*
  into v_policy
  from interlock.alarm_policy as p
  where p.looked_at <= v_now - p_interval_seconds * interval '1 second'
  for no key update skip locked;
  if not found then
    return;
  end if;
  update interlock.alarm_policy as p set looked_at = v_now;
  -- What nobody has fetched for a day, because the webhook was taken out of every configuration.
  delete from interlock.alarm_deliveries as d where d.created_at < v_now - interval '1 day' and d.next_at <= v_now;

  return query
  with alarming as materialized (
    select a.rule, a.subject, a.value, a.bound, pg_catalog.left(a.message, 1000) as message
    from interlock.alarms as a
    order by a.rule, a.subject
    limit 1000
  ),
  kept as (
    insert into interlock.raised_alarms as r (rule, subject, value, bound, message, raised_at, seen_at)
    select a.rule, a.subject, a.value, a.bound, a.message, v_now, v_now
    from alarming as a
    on conflict on constraint raised_alarms_pkey do update
    set value = excluded.value,
        bound = excluded.bound,
        message = excluded.message,
        seen_at = excluded.seen_at
    returning r.rule, r.subject, r.value, r.bound, r.message, r.raised_at, r.xmax = 0 as is_new
  ),
  over as (
    delete from interlock.raised_alarms as r
    where r.seen_at <= v_now - v_policy.clear_seconds * interval '1 second'
      and not exists (select from alarming as a where a.rule = r.rule and a.subject = r.subject)
    returning r.rule, r.subject, r.value, r.bound, r.message, r.raised_at
  ),
  said as materialized (
    select 'raised' as event, k.rule, k.subject, k.value, k.bound, k.message, k.raised_at
    from kept as k
    where k.is_new
    union all
    select 'cleared', o.rule, o.subject, o.value, o.bound, o.message, o.raised_at
    from over as o
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, conflict_reason, details)
    select v_now, 'alarm_' || s.event, s.message,
      pg_catalog.jsonb_build_object('rule', s.rule, 'subject', s.subject, 'value', s.value, 'bound', s.bound, 'raised_at', s.raised_at)
    from said as s
    order by s.event desc, s.rule, s.subject
  ),
  sent as (
    insert into interlock.alarm_deliveries (event, data, created_at, next_at)
    select 'alarm.' || s.event,
      pg_catalog.jsonb_build_object('rule', s.rule, 'subject', s.subject, 'value', s.value, 'bound', s.bound, 'message', s.message, 'raised_at', s.raised_at)
        || case when s.event = 'cleared' then pg_catalog.jsonb_build_object('cleared_at', v_now) else '{}' end,
      v_now, v_now
    from said as s
    where v_policy.is_delivered
      and (select pg_catalog.count(*) from interlock.alarm_deliveries as d) < 1000
  )
  select s.event, s.rule, s.subject, s.value, s.bound, s.message, s.raised_at
  from said as s
  order by s.event desc, s.rule, s.subject;
end
$$;

comment on function interlock.settle_alarms(double precision) is
  'Looks at what is alarming (interlock.alarms), if nobody did so within p_interval_seconds: what is new is raised, what has not held for clear_seconds is cleared. Each is said once, however many coordinators there are: as a line in job_queue_log, to alarm_deliveries where a webhook is configured, and as a row of the answer (event raised or cleared), which the caller writes into its own log.
Locks the row of alarm_policy, SKIP LOCKED: of several callers one looks. Raises IL005. Run by a coordinator every few seconds.';

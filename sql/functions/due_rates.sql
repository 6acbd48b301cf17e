create function interlock.due_rates(p_limit integer default 100) returns text[]
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  with recursive line (resource, n) as (
    (select l.blocked_on, 1 from interlock.job_lanes as l where l.blocked_on >= 'rate:' and l.blocked_on < 'rate;' order by l.blocked_on limit 1)
    union all
    select (
      select l.blocked_on from interlock.job_lanes as l where l.blocked_on >= o.resource || ' ' and l.blocked_on < 'rate;' order by l.blocked_on limit 1
    ), o.n + 1
    from line as o
    where o.resource is not null
      and o.n < interlock.row_limit(p_limit)
  )
  select array(
    select o.resource
    from line as o
    cross join lateral interlock.limit_of(o.resource) as m
    where o.resource is not null
      and m.capacity > (
        select pg_catalog.count(*)
        from interlock.job_queue_state as s
        where s.resource = o.resource
          and interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, interlock.clock())
      )
  )
$$;

comment on function interlock.due_rates(integer) is
  'Start rates that somebody waits for and that have room again, by the passing of time: for wake_rate(). Locks nothing. Run by the tick.';

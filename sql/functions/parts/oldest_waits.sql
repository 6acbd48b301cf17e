create function interlock.oldest_waits(p_count_limit integer default 10000)
returns table (route text, since timestamptz)
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_live bigint;
begin
  select pg_catalog.count(*)
  into v_live
  from (select from interlock.jobs as j order by j.id limit p_count_limit + 1) as bounded;
  if v_live <= p_count_limit then
    return query
    -- A job that is tried again waits since it came back, not since it first came.
    select j.queue || '/' || j.permission_level, pg_catalog.min(greatest(j.queued_at, j.assigned_at, j.run_at))
    from (
      select l.queue, l.permission_level, l.queued_at, l.assigned_at, l.run_at, l.status
      from interlock.jobs as l
      order by l.id
      limit p_count_limit
    ) as j
    where j.status = 'pending'
    group by 1;
    return;
  end if;
  -- Of many, who is first in a line is among the oldest of it: lines are found by hopping from one to the next in the index.
  return query
  with recursive
  parked (blocked_on, route, n) as (
    (select l.blocked_on, l.route, 1 from interlock.job_lanes as l where l.blocked_on is not null order by l.blocked_on, l.route limit 1)
    union all
    select n.blocked_on, n.route, p.n + 1
    from parked as p
    cross join lateral (
      select l.blocked_on, l.route
      from interlock.job_lanes as l
      where l.blocked_on is not null and (l.blocked_on, l.route) > (p.blocked_on, p.route)
      order by l.blocked_on, l.route
      limit 1
    ) as n
    where p.n < 1000
  ),
  awake (route, n) as (
    (select l.route, 1 from interlock.job_lanes as l where l.rank is not null and l.blocked_on is null order by l.route limit 1)
    union all
    select n.route, a.n + 1
    from awake as a
    cross join lateral (
      select l.route
      from interlock.job_lanes as l
      where l.rank is not null and l.blocked_on is null and l.route > a.route
      order by l.route
      limit 1
    ) as n
    where a.n < 1000
  ),
  firsts as (
    select h.route, h.waiting_since
    from parked as p
    cross join lateral (
      select l.route, l.waiting_since
      from interlock.job_lanes as l
      where l.blocked_on = p.blocked_on and l.route = p.route
      order by l.rank, l.id
      limit 1
    ) as h
    union all
    select h.route, h.waiting_since
    from awake as a
    cross join lateral (
      select l.route, l.waiting_since
      from interlock.job_lanes as l
      where l.rank is not null and l.blocked_on is null and l.route = a.route
      order by l.rank, l.id
      limit 1
    ) as h
  )
  select f.route, pg_catalog.min(f.waiting_since)
  from firsts as f
  group by f.route;
end
$$;

comment on function interlock.oldest_waits(integer) is
  'By route, since when the oldest pending job waits. Up to so many live jobs are looked at one by one; of more, the first of each line that lanes stand in (at most 1,000 lines of the parked, and 1,000 routes), so that its cost does not grow with what waits. Locks nothing.';

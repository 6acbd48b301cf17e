create function interlock.waiting_lines()
returns table (blocked_on text, route text, rank timestamptz, waiting_since timestamptz)
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
  with recursive
  -- Found by hopping from one to the next in the index: reading every lane costs with their number.
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
  )
  select p.blocked_on, p.route, h.rank, h.waiting_since
  from parked as p
  cross join lateral (
    select l.rank, l.waiting_since
    from interlock.job_lanes as l
    where l.blocked_on = p.blocked_on and l.route = p.route
    order by l.rank, l.id
    limit 1
  ) as h
  union all
  select null, a.route, h.rank, h.waiting_since
  from awake as a
  cross join lateral (
    select l.rank, l.waiting_since
    from interlock.job_lanes as l
    where l.rank is not null and l.blocked_on is null and l.route = a.route
    order by l.rank, l.id
    limit 1
  ) as h;
end
$$;

comment on function interlock.waiting_lines() is
  'The lines that lanes stand in, each with the rank of its first and since when that waits: one for each resource that somebody is parked on, by route (at most 1,000), and one, with blocked_on null, of the awake lanes of each route (at most 1,000). Its cost does not grow with what waits. Locks nothing.';

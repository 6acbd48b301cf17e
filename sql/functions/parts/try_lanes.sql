create function interlock.try_lanes(p_places tid[])
returns table (names text[], capacities integer[], locked boolean[], pair_lanes integer[], pair_names integer[])
language plpgsql
set search_path = ''
as $$
declare
  v_any_limits boolean := exists (select from interlock.resource_limits);
begin
  with pairs as materialized (
    select u.i::integer as lane, d.ord, d.resource, d.capacity, dense_rank() over (order by d.resource)::integer as n
    from unnest(p_places) with ordinality as u (place, i)
    join interlock.job_lanes as l on l.ctid = u.place
    cross join lateral (
      -- The everyday case by itself: without a row in resource_limits what a lane names is what it needs, once.
      select r.ord::integer as ord, r.resource, 1 as capacity
      from unnest(l.resources) with ordinality as r (resource, ord)
      where not v_any_limits
      union all
      select m.ord, m.resource, case when m.is_paused then 0 else m.capacity end
      from interlock.lane_demand(l.route, l.task, l.resources) as m
      where v_any_limits
    ) as d
  ),
  tried as materialized (
    -- Over a finished list: a try-lock beside a limit or a join may be asked of rows that are never returned.
    select n.n, n.resource, n.capacity, pg_try_advisory_xact_lock(interlock.lock_key(n.resource)) as locked
    from (select distinct on (x.n) x.n, x.resource, x.capacity from pairs as x order by x.n offset 0) as n
  )
  select
    coalesce((select array_agg(t.resource order by t.n) from tried as t), '{}'),
    coalesce((select array_agg(t.capacity order by t.n) from tried as t), '{}'),
    coalesce((select array_agg(t.locked order by t.n) from tried as t), '{}'),
    coalesce((select array_agg(p.lane order by p.lane, p.ord) from pairs as p), '{}'),
    coalesce((select array_agg(p.n order by p.lane, p.ord) from pairs as p), '{}')
  into names, capacities, locked, pair_lanes, pair_names;
  return next;
end
$$;

comment on function interlock.try_lanes(tid[]) is
  'Tries the locks of all that these lanes (locked, by place) need now. Returns the resources with their capacities (0 when paused) and whether each was locked, and what each lane needs as pairs (place of the lane, place of the resource), in resource order.';

create function interlock.try_lanes(
  p_places tid[], out names text[], out capacities integer[], out locked boolean[], out needs integer[], out firsts integer[]
)
language plpgsql
set search_path = ''
as $$
declare
  v_needed text[];
  v_capacities integer[];
  v_lanes integer[];
  v_lane integer := 0;
begin
  if exists (select from interlock.resource_limits) then
    select coalesce(array_agg(d.resource order by u.i, d.ord), '{}'),
      coalesce(array_agg(case when d.is_paused then 0 else d.capacity end order by u.i, d.ord), '{}'),
      coalesce(array_agg(u.i order by u.i, d.ord), '{}')
    into v_needed, v_capacities, v_lanes
    from unnest(p_places) with ordinality as u (place, i)
    join interlock.job_lanes as l on l.ctid = u.place
    cross join lateral interlock.lane_demand(l.route, l.task, l.resources) as d;
  else
    -- The everyday case by itself: without a row in resource_limits what a lane names is what it needs, once.
    select coalesce(array_agg(d.resource order by u.i, d.ord), '{}'),
      coalesce(array_agg(1 order by u.i, d.ord), '{}'),
      coalesce(array_agg(u.i order by u.i, d.ord), '{}')
    into v_needed, v_capacities, v_lanes
    from unnest(p_places) with ordinality as u (place, i)
    join interlock.job_lanes as l on l.ctid = u.place
    cross join lateral unnest(l.resources) with ordinality as d (resource, ord);
  end if;

  select coalesce(array_agg(x.n order by x.k), '{}'),
    coalesce(array_agg(x.resource order by x.n) filter (where x.is_first), '{}'),
    coalesce(array_agg(x.capacity order by x.n) filter (where x.is_first), '{}')
  into needs, names, capacities
  from (
    select u.k, u.resource, u.capacity,
      dense_rank() over (order by u.resource collate "C")::integer as n,
      row_number() over (partition by u.resource collate "C") = 1 as is_first
    from unnest(v_needed, v_capacities) with ordinality as u (resource, capacity, k)
  ) as x;
  -- Over a finished list: a try-lock beside a limit or a join may be asked of rows that are never returned.
  locked := array(
    select pg_try_advisory_xact_lock(interlock.lock_key(u.resource))
    from unnest(names) with ordinality as u (resource, n)
    order by u.n
  );

  firsts := '{}';
  for k in 1 .. cardinality(v_lanes) loop
    while v_lane < v_lanes[k] loop
      v_lane := v_lane + 1;
      firsts := firsts || k;
    end loop;
  end loop;
  while v_lane <= cardinality(p_places) loop
    v_lane := v_lane + 1;
    firsts := firsts || cardinality(v_lanes) + 1;
  end loop;
end
$$;

comment on function interlock.try_lanes(tid[]) is
  'Tries the locks of all that these lanes (locked, by place) need now. Returns the resources with their capacities (0 when paused) and whether each was locked, and what each lane needs: the i-th lane the resources needs[firsts[i]] to needs[firsts[i + 1] - 1], which are places in names, in resource order.';

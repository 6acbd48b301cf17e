create function interlock.wake_resources(p_resources text[], p_times integer[])
returns table (route text, woken integer)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_resource text[];
  v_times integer[];
  v_contested boolean[];
  v_after text[];
  v_pass integer := 1;
  v_passes integer;
  v_picked integer;
  v_moved integer;
  v_lanes uuid[];
  v_ranks timestamptz[];
  v_true_ranks timestamptz[];
  v_on text[];
  v_routes text[] := '{}';
  -- The everyday case by itself: without a limit a resource has one slot, without who reserves nothing is contested.
  v_any_limits constant boolean := exists (select from interlock.resource_limits);
  v_any_reserving constant boolean := exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on is not null)
    or exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on is null);
begin
  -- Nearly always nothing is parked on what was freed: one probe of an index for each resource, and done.
  select array_agg(w.resource), array_agg(w.times), array_agg(w.contested)
  into v_resource, v_times, v_contested
  from (
    select
      f.resource,
      f.times,
      v_any_reserving and (
        exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on = f.resource)
        or exists (
          select from interlock.job_lanes as o
          where o.reserving and o.blocked_on is null and interlock.lane_needs(o.route, o.task, o.resources, f.resource)
        )) as contested
    from unnest(p_resources, p_times) as f (resource, times)
    cross join lateral (select 1 from interlock.job_lanes as l where l.blocked_on = f.resource limit 1) as parked
    left join lateral (
      select x.capacity, x.is_paused
      from interlock.limit_of(f.resource) as x
      where v_any_limits
    ) as m on true
    cross join lateral (
      select count(*) as used
      from interlock.job_queue_state as s
      where s.resource = f.resource
        and (s.active_job_id is not null or s.reserved_lane_id is not null)
    ) as u
    where case when v_any_limits then not m.is_paused and (m.capacity is null or m.capacity > u.used) else u.used = 0 end
  ) as w;
  if v_resource is null then
    return;
  end if;

  -- A contested resource is woken one slot at a time, because each lane that is made awake changes who is next.
  select max(case when c then t else 1 end) into v_passes from unnest(v_times, v_contested) as u (t, c);
  while v_pass <= v_passes loop
    v_after := array_fill(''::text, array[cardinality(v_resource)]);
    loop
      -- The next route that has lanes parked, for each resource: a loose scan of the index, not a scan of who is parked.
      select array_agg(n.route order by w.i)
      into v_after
      from unnest(v_resource, v_times, v_contested, v_after) with ordinality as w (resource, times, contested, after, i)
      left join lateral (
        select l.route
        from interlock.job_lanes as l
        where l.blocked_on = w.resource
          and l.route > w.after
        order by l.route
        limit 1
      ) as n on (v_pass = 1 or (w.contested and v_pass <= w.times));
      exit when array_position(v_after, null) is not null and array_remove(v_after, null) = '{}';

      loop
        select array_agg(p.id), array_agg(p.rank), array_agg(p.true_rank), array_agg(p.resource)
        into v_lanes, v_ranks, v_true_ranks, v_on
        from (
          select distinct on (l.id) l.id, l.rank, w.resource,
            case when not l.reserving then
              interlock.lane_rank(q.scheduling, q.patience_seconds, l.seniority, l.waiting_since, u.last_started_at, l.last_started_at)
            end as true_rank
          from unnest(v_resource, v_times, v_contested, v_after) as w (resource, times, contested, route)
          join interlock.queues as q on q.name = split_part(w.route, '/', 1)
          cross join lateral (
            select x.id, x.rank, x.reserving, x.seniority, x.waiting_since, x.last_started_at, x.resources[1] as first
            from interlock.job_lanes as x
            where x.blocked_on = w.resource
              and x.route = w.route
            order by x.rank, x.id
            limit case when w.contested then 1 else w.times end
          ) as l
          left join lateral (
            select x.last_started_at
            from interlock.lane_users as x
            where x.queue = q.name and x.user_key = l.first and q.scheduling = 'fair'
            limit 1
          ) as u on true
          where w.route is not null
            and (not w.contested or interlock.can_use(w.resource, l.id, l.rank))
          order by l.id
        ) as p;
        exit when v_lanes is null;
        v_picked := cardinality(v_lanes);

        -- Waits for the row if an absorber or the tick has it. If it was changed meanwhile it does not match any more: choose again.
        -- A rank that has grown stale (its user was served meanwhile) is corrected in the same breath, or the claim would.
        with moved as (
          update interlock.job_lanes as l
          set blocked_on = null,
              rank = greatest(p.rank, p.true_rank)
          from unnest(v_lanes, v_ranks, v_true_ranks, v_on) as p (id, rank, true_rank, resource)
          where l.id = p.id
            and l.blocked_on = p.resource
            and l.rank = p.rank
          returning l.route
        )
        select count(*), v_routes || coalesce(array_agg(moved.route), '{}')
        into v_moved, v_routes
        from moved;
        exit when v_moved = v_picked;
      end loop;
      v_after := array(select coalesce(a, chr(1114111)) from unnest(v_after) as a);
    end loop;
    v_pass := v_pass + 1;
  end loop;

  return query
  select r.route, count(*)::integer
  from unnest(v_routes) as r (route)
  group by r.route;
end
$$;

comment on function interlock.wake_resources(text[], integer[]) is
  'Wakes each resource as often as the number beside it says, once for each slot freed: while it has a free slot, the most senior lane parked on it of each route, if the resource is usable for it, is made awake. Called under the resources'' locks. Locks the lanes that it makes awake and waits only for absorbers and the tick, who wait for nobody. Returns how many lanes of which route were made awake; the caller rings them.';

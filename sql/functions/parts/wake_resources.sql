create function interlock.wake_resources(p_resources text[], p_times integer[]) returns text[]
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
  c_rounds constant integer := 4;
  v_round integer;
  v_left integer[];
  v_on integer[];
  v_lanes uuid[];
  v_ranks timestamptz[];
  v_true_ranks timestamptz[];
  v_woken integer[];
  v_routes text[] := '{}';
  -- The everyday case by itself: without a limit a resource has one slot, without who reserves nothing is contested.
  v_any_limits constant boolean := exists (select from interlock.resource_limits);
  v_more constant boolean := interlock.any_more_slots();
  v_any_reserving constant boolean := interlock.any_reserving();
  v_now constant timestamptz := interlock.clock();
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
      from interlock.slots_of(f.resource, v_more) as s
      where interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, v_now)
    ) as u
    where case when v_any_limits then not m.is_paused and (m.capacity is null or m.capacity > u.used) else u.used = 0 end
  ) as w;
  if v_resource is null then
    return '{}';
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

      v_left := array(
        select case when w.route is null then 0 when w.contested then 1 else w.times end
        from unnest(v_times, v_contested, v_after) with ordinality as w (times, contested, route, i)
        order by w.i
      );
      v_round := 0;
      loop
        v_round := v_round + 1;
        select array_agg(p.i), array_agg(p.id), array_agg(p.rank), array_agg(p.true_rank)
        into v_on, v_lanes, v_ranks, v_true_ranks
        from (
          select w.i, l.id, l.rank,
            case when not l.reserving and not (
              l.turn_at is null and extract(epoch from v_now - l.waiting_since) >= q.patience_seconds
              and (u.last_turn_at is null or extract(epoch from v_now - u.last_turn_at) >= q.patience_seconds)
            ) then
              interlock.lane_rank(q.scheduling, l.seniority, l.waiting_since, u.last_started_at, l.turn_at)
            end as true_rank
          from unnest(v_resource, v_contested, v_after, v_left) with ordinality as w (resource, contested, route, wanted, i)
          join interlock.queues as q on q.name = split_part(w.route, '/', 1)
          cross join lateral (
            select x.id, x.rank, x.reserving, x.seniority, x.waiting_since, x.turn_at, x.resources[1] as first
            from interlock.job_lanes as x
            where x.blocked_on = w.resource
              and x.route = w.route
            order by x.rank, x.id
            limit w.wanted
          ) as l
          left join lateral (
            select x.last_started_at, x.last_turn_at
            from interlock.lane_users as x
            where x.queue = q.name and x.user_key = l.first and q.scheduling = 'fair'
            limit 1
          ) as u on true
          where w.wanted > 0
            and (not w.contested or interlock.can_use(w.resource, l.id, l.rank))
          order by l.id
        ) as p;
        exit when v_lanes is null;

        -- Waits for the row if an absorber or the tick has it. If it was changed meanwhile it does not match any more: choose
        -- again. So where a rank had grown stale, its user served meanwhile: corrected where it stands, or the slot would go
        -- to a lane whose turn is late. (Not where the claim will give it a turn.)
        with moved as (
          update interlock.job_lanes as l
          set blocked_on = case when p.true_rank > p.rank and v_round < c_rounds then l.blocked_on end,
              rank = greatest(p.rank, p.true_rank),
              awake_by = pg_current_xact_id()
          from unnest(v_on, v_lanes, v_ranks, v_true_ranks) as p (i, id, rank, true_rank)
          where l.id = p.id
            and l.blocked_on = v_resource[p.i]
            and l.rank = p.rank
          returning p.i, l.route, l.blocked_on is null as is_awake
        )
        select coalesce(array_agg(m.i) filter (where m.is_awake), '{}'), v_routes || coalesce(array_agg(m.route) filter (where m.is_awake), '{}')
        into v_woken, v_routes
        from moved as m;
        exit when cardinality(v_woken) = cardinality(v_on);
        v_left := array(
          select case when w.woken = w.picked then 0 else w.wanted - w.woken end
          from (
            select x.wanted, x.i, (select count(*) from unnest(v_on) as o where o = x.i) as picked,
              (select count(*) from unnest(v_woken) as o where o = x.i) as woken
            from unnest(v_left) with ordinality as x (wanted, i)
          ) as w
          order by w.i
        );
      end loop;
      v_after := array(select coalesce(a, chr(1114111)) from unnest(v_after) as a);
    end loop;
    v_pass := v_pass + 1;
  end loop;

  return v_routes;
end
$$;

comment on function interlock.wake_resources(text[], integer[]) is
  'Wakes each resource as often as the number beside it says, once for each slot freed: while it has a free slot, the most senior lane parked on it of each route, if the resource is usable for it, is made awake. Called under the resources'' locks. Locks the lanes that it makes awake and waits for absorbers, the tick, and a claimer that came to the row before it, none of whom waits for it. Returns the routes of the lanes that were made awake, one for each; the caller rings them.';

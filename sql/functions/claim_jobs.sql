create function interlock.claim_jobs(p_agent_id text, p_routes text[] default null, p_limit integer default 1)
returns table (jobs jsonb, contended uuid[], more boolean)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  c_examinations constant integer := 64;
  c_locks constant integer := 256;
  v_now timestamptz := interlock.clock();
  v_agent record;
  v_routes text[];
  v_room integer;
  v_any_limits boolean := exists (select from interlock.resource_limits);
  v_any_missing boolean;
  v_pop integer;
  v_wanted integer;
  v_examined integer := 0;
  v_corrected integer := 0;
  v_locks integer := 0;
  v_skipped uuid[] := '{}';
  v_woken text[] := '{}';
  -- The batch: lanes in order of rank, and what each needs as (lane, resource) pairs in resource order.
  v_lane uuid[];
  v_size integer;
  v_popped integer;
  v_reserving boolean[];
  v_late uuid[];
  v_late_ranks timestamptz[];
  v_pair_lane integer[];
  v_pair_resource integer[];
  v_name text[];
  v_capacity integer[];
  v_locked boolean[];
  v_free integer[];
  v_contested boolean[];
  v_first integer[];
  v_count integer[];
  v_head_first integer[];
  v_head_count integer[];
  v_head_job text[];
  v_head_rank timestamptz[];
  v_has_head boolean[];
  v_overdue boolean[];
  v_next_rank timestamptz[];
  -- The plan.
  v_start_jobs text[];
  v_grant_jobs integer[];
  v_grant_resources text[];
  v_done_lanes uuid[];
  v_done_park text[];
  v_done_started boolean[];
  v_done_overdue boolean[];
  v_wake integer[];
  v_wake_names text[];
  v_wake_times integer[];
  v_assignments jsonb;
  v_exam record;
  v_obstacle integer;
  v_taken integer;
  v_simple boolean;
  v_i integer;
  v_p integer;
  v_from integer;
begin
  jobs := '[]';
  contended := '{}';
  more := false;
  perform interlock.lock_limits();
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  v_room := least(p_limit, v_agent.slots - v_agent.active_jobs);
  v_routes := array(
    select r.route
    from unnest(coalesce(p_routes, v_agent.routes)) as r (route)
    where r.route = any (v_agent.routes)
      and exists (select from interlock.queues as q where q.name = split_part(r.route, '/', 1) and not q.is_paused)
  );
  if p_limit is null or p_limit < 1 then
    raise exception using errcode = 'IL005', message = 'limit must be at least 1', column = 'limit';
  end if;
  if v_agent.state <> 'active' or v_agent.load_score > 80 or v_room < 1 or v_routes = '{}' then
    return next;
    return;
  end if;

  v_wanted := v_room;
  -- A round costs as much as ten lanes, and its locks are kept until the end: so a quarter more is popped than is wanted,
  -- and another round is for who got less than half. The caller, who is told that there is more, comes back for the rest.
  while (v_pop is null or 2 * v_room > v_wanted) and v_examined < c_examinations and v_locks < c_locks and v_corrected < c_examinations loop
    v_pop := least(c_examinations - v_examined, 4 + v_room + v_room / 4);
    -- 1. Pop awake lanes of all the routes merged by rank. A rank that has grown stale (its user was served meanwhile) is
    --    corrected now, when it is popped, and the lane waits for its new turn.
    with popped as materialized (
      select l.id, l.route, l.rank, l.reserving, l.last_started_at, l.user_key, cardinality(l.resources) as needs
      from unnest(v_routes) as r (route)
      cross join lateral (
        select x.id, x.route, x.rank, x.reserving, x.last_started_at, x.resources,
          case when x.resources[1] like 'user:%' then x.resources[1] end as user_key
        from interlock.job_lanes as x
        where x.route = r.route
          and x.rank is not null
          and x.blocked_on is null
          and x.id <> all (v_skipped)
        order by x.rank, x.id
        limit v_pop
        for no key update skip locked
      ) as l
      order by l.rank, l.id
      limit v_pop
    ),
    ranked as materialized (
      select p.id, p.rank, p.reserving, p.needs,
        case when h.id is not null and not p.reserving then
          interlock.lane_rank(q.scheduling, q.patience_seconds, h.seniority, h.queued_at, u.last_started_at, p.last_started_at)
        end as true_rank
      from popped as p
      join interlock.queues as q on q.name = split_part(p.route, '/', 1)
      left join lateral (
        select j.id, j.seniority, j.queued_at
        from interlock.jobs as j
        where j.lane_id = p.id and j.status = 'pending'
        order by j.seniority, j.id
        limit 1
      ) as h on true
      left join lateral (
        select x.last_started_at
        from interlock.lane_users as x
        where x.queue = q.name and x.user_key = p.user_key
        limit 1
      ) as u on true
    ),
    kept as (
      select r.id, r.rank, r.reserving, r.needs, sum(r.needs + case when v_any_limits then 3 else 0 end) over (order by r.rank, r.id) as locks
      from ranked as r
      where r.true_rank is null or r.true_rank <= r.rank
    )
    select
      (select count(*) from ranked),
      (select array_agg(k.id order by k.rank, k.id) from kept as k where v_locks + k.locks <= c_locks),
      (select array_agg(k.reserving order by k.rank, k.id) from kept as k where v_locks + k.locks <= c_locks),
      (select array_agg(k.rank order by k.rank, k.id) from kept as k where v_locks + k.locks <= c_locks),
      (select array_agg(r.id) from ranked as r where r.true_rank > r.rank),
      (select array_agg(r.true_rank) from ranked as r where r.true_rank > r.rank)
    into v_popped, v_lane, v_reserving, v_next_rank, v_late, v_late_ranks;
    exit when v_popped = 0;
    if v_late is not null then
      update interlock.job_lanes as l
      set rank = r.rank
      from unnest(v_late, v_late_ranks) as r (id, rank)
      where l.id = r.id;
      v_corrected := v_corrected + cardinality(v_late);
      -- Fill the batch up again before any resource is locked: what is done under those locks is in everybody's way.
      continue when v_corrected < c_examinations;
    end if;
    exit when v_lane is null;
    v_size := cardinality(v_lane);

    -- 2. Try-lock what they need. Whoever fails is left awake, and so is whoever needs the same.
    with pairs as materialized (
      select u.i::integer as lane, d.ord, d.resource, case when d.is_paused then 0 else d.capacity end as capacity,
        dense_rank() over (order by d.resource)::integer as n
      from unnest(v_lane) with ordinality as u (id, i)
      join interlock.job_lanes as l on l.id = u.id
      cross join lateral (
        -- The everyday case by itself: without a row in resource_limits what a lane names is what it needs, once.
        select u.ord::integer as ord, u.resource, 1 as capacity, false as is_paused
        from unnest(l.resources) with ordinality as u (resource, ord)
        where not v_any_limits
        union all
        select m.ord, m.resource, m.capacity, m.is_paused
        from interlock.lane_demand(l.route, l.task, l.resources) as m
        where v_any_limits
      ) as d
    ),
    tried as materialized (
      select n.n, n.resource, n.capacity, pg_try_advisory_xact_lock(interlock.lock_key(n.resource)) as locked
      from (select distinct on (x.n) x.n, x.resource, x.capacity from pairs as x order by x.n offset 0) as n
    )
    select
      (select array_agg(t.resource order by t.n) from tried as t),
      (select array_agg(t.capacity order by t.n) from tried as t),
      (select array_agg(t.locked order by t.n) from tried as t),
      (select array_agg(p.lane order by p.lane, p.ord) from pairs as p),
      (select array_agg(p.n order by p.lane, p.ord) from pairs as p)
    into v_name, v_capacity, v_locked, v_pair_lane, v_pair_resource;
    v_name := coalesce(v_name, '{}');
    v_locks := v_locks + cardinality(v_name);
    v_first := array_fill(1, array[v_size]);
    v_count := array_fill(0, array[v_size]);
    for v_p in 1 .. coalesce(cardinality(v_pair_lane), 0) loop
      v_i := v_pair_lane[v_p];
      if v_count[v_i] = 0 then
        v_first[v_i] := v_p;
      end if;
      v_count[v_i] := v_count[v_i] + 1;
    end loop;

    v_from := 1;
    while v_from <= v_size loop
      -- 3. In a later statement, under the locks: the slots, who has reserved, the heads.
      select
        array_agg(n.capacity - s.used order by n.n),
        array_agg(
          s.reserved > 0
            or exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on = n.resource)
            or exists (
              select from interlock.job_lanes as o
              where o.reserving and o.blocked_on is null and interlock.lane_needs(o.route, o.task, o.resources, n.resource)
            )
          order by n.n),
        bool_or(n.locked and s.slots < n.capacity)
      into v_free, v_contested, v_any_missing
      from unnest(v_name, v_capacity, v_locked) with ordinality as n (resource, capacity, locked, n)
      cross join lateral (
        select
          count(*) filter (where q.active_job_id is not null or q.reserved_lane_id is not null)::integer as used,
          count(*) filter (where q.reserved_lane_id is not null) as reserved,
          count(*) filter (where q.slot <= n.capacity) as slots
        from interlock.job_queue_state as q
        where q.resource = n.resource
      ) as s;
      if v_any_missing then
        insert into interlock.job_queue_state (resource, slot)
        select n.resource, g.slot
        from unnest(v_name, v_capacity, v_locked) as n (resource, capacity, locked)
        cross join lateral generate_series(1, n.capacity) as g (slot)
        where n.locked
          and (select true from interlock.job_queue_state as s where s.resource = n.resource and s.slot = g.slot) is null
        on conflict do nothing;
      end if;

      -- Only the heads that may start are locked: as many as the scarcest of the lane's resources has slots.
      with lanes as materialized (
        select u.i, u.id, coalesce(f.free, v_room) as free, f.needs
        from unnest(v_lane) with ordinality as u (id, i)
        cross join lateral (
          select count(*) as needs, min(case when not v_locked[p.r] then -1 when v_contested[p.r] then -1 else v_free[p.r] end) as free
          from unnest(v_pair_resource[v_first[u.i] : v_first[u.i] + v_count[u.i] - 1]) as p (r)
        ) as f
        where u.i >= v_from
      ),
      locked as materialized (
        select l.i, h.id, h.rank, h.n
        from lanes as l
        cross join lateral (
          select x.id, x.rank, row_number() over () as n
          from (
            select j.id, case when q.scheduling = 'fair' and j.user_name is not null then greatest(j.seniority, v_now + (j.seniority - j.queued_at)) else j.seniority end as rank
            from interlock.jobs as j
            join interlock.queues as q on q.name = j.queue
            where j.lane_id = l.id and j.status = 'pending'
            order by j.seniority, j.id
            limit least(l.free, v_room)
            for no key update of j skip locked
          ) as x
        ) as h
        where l.free > 0 and not v_reserving[l.i]
      ),
      plain as (
        select l.i, h.id, h.queued_at, h.resources, o.resources as lane_resources, l.needs, q.patience_seconds
        from lanes as l
        join interlock.job_lanes as o on o.id = l.id
        join interlock.queues as q on q.name = split_part(o.route, '/', 1)
        left join lateral (
          select j.id, j.queued_at, j.resources
          from interlock.jobs as j
          where j.lane_id = l.id and j.status = 'pending'
          order by j.seniority, j.id
          limit 1
        ) as h on true
      )
      select
        array_fill(false, array[v_from - 1]) || (select array_agg(p.id is not null order by p.i) from plain as p),
        array_fill(false, array[v_from - 1]) || (select array_agg(coalesce(p.needs > 1 and extract(epoch from v_now - p.queued_at) >= p.patience_seconds, false) order by p.i) from plain as p),
        (select array_agg(k.id order by k.i, k.n) from locked as k),
        (select array_agg(k.rank order by k.i, k.n) from locked as k),
        array_fill(0, array[v_from - 1]) || (select array_agg((select count(*)::integer from locked as k where k.i = p.i) order by p.i) from plain as p),
        (select case when bool_or(p.resources <> p.lane_resources) then v_size + 1 else 0 end from plain as p)
      into v_has_head, v_overdue, v_head_job, v_head_rank, v_head_count, v_p;
      if v_p > 0 then
        raise exception using errcode = 'XX000', message = 'interlock: a job and its lane name different resources', hint = 'Look at interlock.violations.';
      end if;

      -- 4. Decide, in order of rank, until a lane comes that is not the everyday case.
      v_start_jobs := '{}';
      v_grant_jobs := '{}';
      v_grant_resources := '{}';
      v_done_lanes := '{}';
      v_done_park := '{}';
      v_done_started := '{}';
      v_done_overdue := '{}';
      v_wake := '{}';
      v_head_first := array_fill(1, array[v_size]);
      v_p := 1;
      for v_i in 1 .. v_size loop
        v_head_first[v_i] := v_p;
        v_p := v_p + v_head_count[v_i];
      end loop;
      v_simple := true;
      v_i := v_from;
      while v_i <= v_size and v_room > 0 loop
        v_examined := v_examined + 1;
        v_obstacle := null;
        for v_p in v_first[v_i] .. v_first[v_i] + v_count[v_i] - 1 loop
          if not v_locked[v_pair_resource[v_p]] then
            v_obstacle := 0;
            exit;
          elsif v_contested[v_pair_resource[v_p]] then
            v_simple := false;
          elsif v_obstacle is null and v_free[v_pair_resource[v_p]] < 1 then
            v_obstacle := v_pair_resource[v_p];
          end if;
        end loop;
        if v_obstacle = 0 then
          v_simple := true;
          v_skipped := v_skipped || v_lane[v_i];
          contended := contended || v_lane[v_i];
          v_i := v_i + 1;
          continue;
        end if;
        v_simple := v_simple and not v_reserving[v_i] and v_has_head[v_i] and not (v_obstacle is not null and v_overdue[v_i]);
        exit when not v_simple;

        v_taken := 0;
        while v_obstacle is null and v_taken < v_head_count[v_i] and v_room > 0
          and (v_taken = 0 or v_i = v_size or v_head_rank[v_head_first[v_i] + v_taken] <= v_next_rank[v_i + 1])
        loop
          v_start_jobs := v_start_jobs || v_head_job[v_head_first[v_i] + v_taken];
          v_taken := v_taken + 1;
          v_room := v_room - 1;
          for v_p in v_first[v_i] .. v_first[v_i] + v_count[v_i] - 1 loop
            v_grant_jobs := v_grant_jobs || cardinality(v_start_jobs);
            v_grant_resources := v_grant_resources || v_name[v_pair_resource[v_p]];
            v_free[v_pair_resource[v_p]] := v_free[v_pair_resource[v_p]] - 1;
            if v_free[v_pair_resource[v_p]] < 1 and v_obstacle is null then
              v_obstacle := v_pair_resource[v_p];
            end if;
          end loop;
        end loop;
        if v_obstacle is null and v_taken = 0 then
          -- Its head is there, and locked by somebody's uncommitted change.
          v_skipped := v_skipped || v_lane[v_i];
          contended := contended || v_lane[v_i];
        else
          v_done_lanes := v_done_lanes || v_lane[v_i];
          v_done_park := v_done_park || case when v_obstacle is not null then v_name[v_obstacle] end;
          v_done_started := v_done_started || (v_taken > 0);
          v_done_overdue := v_done_overdue || (v_count[v_i] > 1);
          for v_p in v_first[v_i] .. v_first[v_i] + v_count[v_i] - 1 loop
            v_wake := v_wake || v_pair_resource[v_p];
          end loop;
        end if;
        v_i := v_i + 1;
      end loop;

      -- 5. Carry the plan out.
      if v_start_jobs <> '{}' then
        v_assignments := interlock.grant_jobs(p_agent_id, v_now, v_start_jobs, v_grant_jobs, v_grant_resources);
        jobs := jobs || v_assignments;
      end if;
      if v_done_lanes <> '{}' then
        perform interlock.settle_lanes(v_done_lanes, v_done_park, v_done_started, v_done_overdue, v_now);
        -- A lane that parked, or was emptied, may have been woken for a resource that is free: pass it on.
        select array_agg(v_name[w.n]), array_agg(w.times)
        into v_wake_names, v_wake_times
        from (
          select u.n, count(*)::integer as times
          from unnest(v_wake) as u (n)
          where v_free[u.n] > 0
          group by u.n
        ) as w;
        if v_wake_names is not null then
          v_woken := v_woken || array(select w.route from interlock.wake_resources(v_wake_names, v_wake_times) as w);
        end if;
      end if;

      -- 6. A lane that may reserve, has reserved, stands beside a reservation, or is empty: by every rule, alone.
      if v_i <= v_size and v_room > 0 then
        select e.assignments, e.contended, e.woken_routes into v_exam
        from interlock.examine_lane(p_agent_id, v_lane[v_i], v_now) as e;
        jobs := jobs || v_exam.assignments;
        v_room := v_room - jsonb_array_length(v_exam.assignments);
        v_woken := v_woken || v_exam.woken_routes;
        if v_exam.contended then
          v_skipped := v_skipped || v_lane[v_i];
          contended := contended || v_lane[v_i];
        end if;
        v_i := v_i + 1;
      end if;
      exit when v_room < 1;
      v_from := v_i;
    end loop;
  end loop;

  if jobs <> '[]' then
    update interlock.agent_stats as a
    set active_jobs = a.active_jobs + jsonb_array_length(jobs)
    where a.id = p_agent_id;
  end if;
  more := exists (
    select
    from unnest(v_routes) as r (route)
    cross join lateral (
      select 1
      from interlock.job_lanes as l
      where l.route = r.route
        and l.rank is not null
        and l.blocked_on is null
        and l.id <> all (v_skipped)
      limit 1
    ) as awake
  );
  -- What was made awake and this agent will not come back for is somebody else's to hear of.
  perform interlock.ring(array(
    select w.route
    from unnest(v_woken) as w (route)
    where v_agent.slots - v_agent.active_jobs <= jsonb_array_length(jobs)
      or w.route <> all (v_routes)
  ));
  return next;
end
$$;

comment on function interlock.claim_jobs(text, text[], integer) is
  'Starts up to p_limit jobs for an agent, from the awake lanes of its routes in order of rank. Returns one row: the assignments as a JSON array ({job_id, token, task, payload, resources, fences, ...}); the lanes that were contended, left awake (one found so three times running is for claim_lane()); and whether an awake lane was not examined, so that the caller comes back at once. Bounded: 64 examinations, 256 locks.
Locks: limits, shared; the agent''s row; awake lanes, SKIP LOCKED; their resources, by try only; heads, SKIP LOCKED; parked lanes that it wakes, waiting only for absorbers and the tick. Must be alone in its transaction (IL010). Raises IL004 where the agent is not registered, gone or past its lease, IL005 for a limit below 1.';

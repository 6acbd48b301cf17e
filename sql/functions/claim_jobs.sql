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
  c_corrections constant integer := 256;
  v_now timestamptz := interlock.clock();
  v_agent record;
  v_routes text[];
  v_scheduling text[];
  v_patience double precision[];
  v_wanted integer;
  v_room integer;
  v_pop integer;
  v_examined integer := 0;
  v_corrected integer := 0;
  v_locks integer := 0;
  v_skipped uuid[] := '{}';
  v_woken text[] := '{}';
  v_is_floor_old boolean := false;
  v_batch record;
  v_try record;
  v_slots record;
  v_wanted_heads integer[];
  v_heads record;
  v_plan record;
  v_exam record;
  v_from integer;
  v_special boolean;
begin
  jobs := '[]';
  contended := '{}';
  more := false;
  if p_limit is null or p_limit < 1 then
    raise exception using errcode = 'IL005', message = 'limit must be at least 1', column = 'limit';
  end if;
  perform interlock.lock_limits();
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  v_room := least(p_limit, v_agent.slots_open - v_agent.active_jobs);
  v_wanted := v_room;
  select array_agg(r.route), array_agg(q.scheduling), array_agg(q.patience_seconds)
  into v_routes, v_scheduling, v_patience
  from unnest(coalesce(p_routes, v_agent.routes)) as r (route)
  join interlock.queues as q on q.name = split_part(r.route, '/', 1)
  where r.route = any (v_agent.routes)
    and not q.is_paused;
  if v_agent.state <> 'active' or v_room < 1 or v_routes is null then
    return next;
    return;
  end if;

  -- A round costs as much as ten lanes, and its locks are kept until the end: so a quarter more is popped than is wanted,
  -- and another round is for who got less than half. The caller, who is told that there is more, comes back for the rest.
  while (v_pop is null or 2 * v_room > v_wanted) and v_examined < c_examinations and v_locks < c_locks and v_corrected < c_corrections loop
    v_pop := least(c_examinations - v_examined, 4 + v_room + v_room / 4);
    v_batch := interlock.pop_lanes(v_routes, v_scheduling, v_patience, v_skipped, v_pop, c_locks - v_locks, c_corrections - v_corrected, v_now);
    exit when v_batch.popped = 0;
    v_is_floor_old := v_is_floor_old or v_batch.is_floor_old;
    v_corrected := v_corrected + v_batch.corrected;
    exit when v_batch.lanes = '{}';

    -- Lock, then read, in separate statements: a read in the statement of the lock is older than it.
    v_try := interlock.try_lanes(v_batch.places);
    v_locks := v_locks + cardinality(v_try.names);
    v_from := 1;
    while v_from <= cardinality(v_batch.lanes) and v_room > 0 loop
      v_slots := interlock.read_slots(v_try.names, v_try.capacities, v_try.locked);
      v_wanted_heads := interlock.heads_wanted(v_from, v_batch.reserving, v_try.needs, v_try.firsts, v_try.locked, v_slots.free, v_slots.contested, v_room);
      v_heads := interlock.read_heads(v_batch.lanes, v_batch.places, v_batch.is_fair, v_batch.patience, v_wanted_heads, v_now);
      v_plan := interlock.decide_lanes(v_from, v_batch.ranks, v_wanted_heads, v_try.needs, v_try.firsts, v_slots.free,
        v_heads.head_lanes, v_heads.locked, v_heads.overdue, v_heads.ranks, v_room);
      if v_plan.starts <> '{}' then
        jobs := jobs || interlock.grant_jobs(p_agent_id, v_now, array(select v_heads.head_places[h] from unnest(v_plan.starts) as h),
          v_plan.grant_jobs, array(select v_try.names[n] from unnest(v_plan.grant_names) as n));
        v_room := v_room - cardinality(v_plan.starts);
      end if;
      v_woken := v_woken || interlock.settle_lanes(v_batch.lanes, v_batch.places, v_batch.is_fair, v_batch.patience, v_batch.routes, v_batch.user_keys,
        v_plan.states, v_plan.upto, v_try.names, v_try.needs, v_try.firsts, v_plan.free, v_now);
      v_examined := v_examined + v_plan.upto - v_from;
      v_from := v_plan.upto;
      v_special := v_from <= cardinality(v_batch.lanes) and v_plan.special[v_from];
      -- Those that may reserve, have reserved, stand beside a reservation, or are empty: by every rule, one by one.
      while v_from <= cardinality(v_batch.lanes) and v_plan.special[v_from] and v_room > 0 loop
        select e.assignments, e.contended, e.woken_routes
        into v_exam
        from interlock.examine_lane(p_agent_id, v_batch.lanes[v_from], v_now) as e;
        jobs := jobs || v_exam.assignments;
        v_room := v_room - jsonb_array_length(v_exam.assignments);
        v_woken := v_woken || v_exam.woken_routes;
        if v_exam.contended then
          v_plan.states[v_from] := 'contended';
        end if;
        v_examined := v_examined + 1;
        v_from := v_from + 1;
      end loop;
      contended := contended || array(
        select v_batch.lanes[s.i]
        from unnest(v_plan.states) with ordinality as s (state, i)
        where s.state = 'contended'
          and v_batch.lanes[s.i] <> all (contended)
      );
      v_skipped := contended;
      -- What was woken is popped with the rest again, in order of rank.
      exit when not v_special and v_from <= cardinality(v_batch.lanes);
    end loop;
  end loop;

  if jobs <> '[]' then
    update interlock.agent_stats as a
    set active_jobs = a.active_jobs + jsonb_array_length(jobs),
        era = case when random() < 0.05 then clock_timestamp() else a.era end
    from (
      select x.ctid as place
      from interlock.agent_stats as x
      where x.id >= p_agent_id
        and x.id <= p_agent_id
      order by x.id, x.era desc
      limit 1
    ) as p
    where a.ctid = p.place;
  end if;
  if v_is_floor_old then
    perform interlock.raise_lane_floors(v_routes);
  end if;
  more := interlock.any_awake(v_routes, v_skipped);
  -- What was made awake and this agent will not come back for is somebody else's to hear of.
  if v_woken <> '{}' then
    perform interlock.ring(array(
      select w.route
      from unnest(v_woken) as w (route)
      where v_agent.slots_open - v_agent.active_jobs <= jsonb_array_length(jobs)
        or w.route <> all (v_routes)
    ));
  end if;
  return next;
end
$$;

comment on function interlock.claim_jobs(text, text[], integer) is
  'Starts up to p_limit jobs for an agent, and no more than its load leaves room for (slots_open: none above max_utilisation), from the awake lanes of its routes in order of rank. Returns one row: the assignments as a JSON array ({job_id, token, task, payload, resources, fences, ...}); the lanes that were contended, left awake (one found so three times running is for claim_lane()); and whether an awake lane was not examined, so that the caller comes back at once. Bounded: 64 examinations, 256 locks.
Locks: limits, shared; the agent''s row; awake lanes, SKIP LOCKED; their resources, by try only; heads, SKIP LOCKED; parked lanes that it wakes, waiting for absorbers, the tick, and a claimer that came to the row before it, none of whom waits for it. Must be alone in its transaction (IL010). Raises IL004 where the agent is not registered, gone or past its lease, IL005 for a limit below 1.';

create function interlock.examine_lane(p_agent_id text, p_lane_id uuid, p_now timestamptz)
returns table (assignments jsonb, contended boolean, woken_routes text[])
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_lane record;
  v_head record;
  v_next record;
  v_queue record;
  v_needed text[];
  v_limited text[];
  v_mine text[];
  v_obstacle text;
  v_may_reserve boolean := false;
  v_reason record;
  v_junior record;
  v_user_key text;
  v_others text[];
  v_served_at timestamptz;
begin
  assignments := '[]';
  contended := false;
  woken_routes := '{}';

  select l.id, l.route, l.task, l.resources, l.rank, l.reserving, l.blocked_head
  into strict v_lane
  from interlock.job_lanes as l
  where l.id = p_lane_id;
  select q.name, q.scheduling
  into strict v_queue
  from interlock.queues as q
  where q.name = split_part(v_lane.route, '/', 1);
  select coalesce(array_agg(d.resource order by d.ord), '{}'), coalesce(array_agg(d.resource order by d.ord) filter (where d.capacity is not null), '{}')
  into v_needed, v_limited
  from interlock.lane_demand(v_lane.route, v_lane.task, v_lane.resources) as d;

  v_user_key := case when v_lane.resources[1] like 'user:%' then v_lane.resources[1] end;
  v_others := case when v_user_key is null then '{}' else array_remove(v_needed, v_user_key) end;

  select j.id, j.ctid as place, j.seniority, j.queued_at, j.kind, j.resources
  into v_head
  from interlock.jobs as j
  where j.lane_id = p_lane_id
    and j.status = 'pending'
  order by j.seniority, j.id
  limit 1
  for update skip locked;

  if v_head.id is null then
    contended := exists (select from interlock.jobs as j where j.lane_id = p_lane_id and j.status = 'pending');
    -- Merely locked by somebody's uncommitted change: hold nothing meanwhile, stay awake, come back. Truly empty: vacate.
    update interlock.job_queue_state as s
    set reserved_lane_id = null
    from unnest(v_needed) as n (resource)
    where s.resource = n.resource
      and s.reserved_lane_id = p_lane_id;
    if contended then
      update interlock.job_lanes as l
      set reserving = false,
          blocked_on = null
      where l.id = p_lane_id;
    else
      delete from interlock.job_lanes as l where l.id = p_lane_id;
      perform interlock.promote_siblings(array_fill(v_lane.route, array[cardinality(v_others)]), array_fill(v_user_key, array[cardinality(v_others)]), v_others);
    end if;
    woken_routes := interlock.wake_resources(v_needed, array_fill(1, array[cardinality(v_needed)]));
    return next;
    return;
  end if;
  if v_head.resources <> v_lane.resources then
    raise exception using errcode = 'XX000', message = format('interlock: job %s and its lane %s name different resources', v_head.id, p_lane_id);
  end if;

  insert into interlock.job_queue_state (resource, slot)
  select d.resource, g.slot
  from interlock.lane_demand(v_lane.route, v_lane.task, v_lane.resources) as d
  cross join lateral generate_series(1, d.capacity) as g (slot)
  where d.capacity is not null
    and not exists (select from interlock.job_queue_state as s where s.resource = d.resource and s.slot = g.slot)
  on conflict do nothing;

  loop
    select n.resource
    into v_obstacle
    from unnest(v_needed) with ordinality as n (resource, ord)
    where not interlock.can_use(n.resource, p_lane_id, v_lane.rank)
    order by n.ord
    limit 1;
    exit when v_obstacle is null;

    v_may_reserve := interlock.may_reserve(p_lane_id, v_lane.rank, v_head.queued_at, v_lane.route, v_lane.task, v_lane.resources, v_obstacle, p_now);
    exit when not v_may_reserve;

    -- If only junior lanes' reservations keep the obstacle from it, it takes the most junior's slot and asks again.
    select s.slot, s.reserved_lane_id
    into v_junior
    from interlock.job_queue_state as s
    join interlock.job_lanes as l on l.id = s.reserved_lane_id
    where s.resource = v_obstacle
      and (l.rank, l.id) > (v_lane.rank, p_lane_id)
      and (
        select m.capacity - count(*) filter (where interlock.is_taken(o.active_job_id, o.reserved_lane_id, o.taken_until, p_now))
          + count(*) filter (where (r.rank, r.id) > (v_lane.rank, p_lane_id))
        from interlock.limit_of(v_obstacle) as m
        cross join interlock.job_queue_state as o
        left join interlock.job_lanes as r on r.id = o.reserved_lane_id
        where o.resource = v_obstacle
        group by m.capacity
      ) > interlock.senior_reservers(v_obstacle, p_lane_id, v_lane.rank)
    order by l.rank desc, l.id desc
    limit 1;
    exit when not found;
    update interlock.job_queue_state as s
    set reserved_lane_id = null
    where s.resource = v_obstacle
      and s.slot = v_junior.slot;
    -- The junior lane is made awake through its inbox, not here: it may be in another claimer's hands, and two claimers
    -- that took from each other would wait for each other's lanes.
    insert into interlock.job_lane_touches (lane_id) values (v_junior.reserved_lane_id);
  end loop;

  if v_obstacle is null then
    assignments := interlock.grant_jobs(p_agent_id, p_now, array[v_head.place], array_fill(1, array[cardinality(v_limited)]), v_limited, p_lane_id);
    if v_user_key is not null and v_queue.scheduling = 'fair' then
      v_served_at := interlock.serve_user(v_queue.name, v_user_key, p_now);
    end if;
    select j.id, j.seniority, j.queued_at
    into v_next
    from interlock.jobs as j
    where j.lane_id = p_lane_id
      and j.status = 'pending'
    order by j.seniority, j.id
    limit 1;
    if v_next.id is null then
      delete from interlock.job_lanes as l where l.id = p_lane_id;
    else
      update interlock.job_lanes as l
      set rank = interlock.lane_rank(v_queue.scheduling, v_next.seniority, v_next.queued_at, v_served_at, null),
          seniority = v_next.seniority,
          waiting_since = v_next.queued_at,
          turn_at = null,
          blocked_on = null,
          awake_by = pg_current_xact_id(),
          reserving = false
      where l.id = p_lane_id;
    end if;
    perform interlock.promote_siblings(array_fill(v_lane.route, array[cardinality(v_others)]), array_fill(v_user_key, array[cardinality(v_others)]), v_others);
    if v_next.id is null then
      woken_routes := interlock.wake_resources(v_needed, array_fill(1, array[cardinality(v_needed)]));
    end if;
    return next;
    return;
  end if;

  -- Asked anew at each examination: who may reserve keeps a slot of each resource before its obstacle, who may not holds nothing.
  with before as (
    select n.resource
    from unnest(v_needed) with ordinality as n (resource, ord)
    where v_may_reserve
      and n.ord < array_position(v_needed, v_obstacle)
  ),
  kept as (
    select b.resource, coalesce(
      (select s.slot from interlock.job_queue_state as s where s.resource = b.resource and s.reserved_lane_id = p_lane_id order by s.slot limit 1),
      (select s.slot from interlock.job_queue_state as s where s.resource = b.resource and not interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, p_now) order by s.slot limit 1)
    ) as slot
    from before as b
  )
  update interlock.job_queue_state as s
  set reserved_lane_id = case when k.slot is not null then p_lane_id end
  from unnest(v_needed) as n (resource)
  left join kept as k on k.resource = n.resource
  where s.resource = n.resource
    and s.active_job_id is null
    and ((k.slot is not null and s.slot = k.slot and s.reserved_lane_id is null)
      or (s.reserved_lane_id = p_lane_id and s.slot is distinct from k.slot));

  select c.reason, c.holder_id into v_reason from interlock.conflict_reason(v_obstacle) as c;
  if v_lane.blocked_head is distinct from v_head.id then
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, conflict_reason, details)
    values (p_now, 'blocked', v_head.id, v_head.kind, 'pending', 'pending', v_reason.reason,
      jsonb_build_object('blocked_on', v_obstacle, 'blocked_by_job_id', v_reason.holder_id));
  end if;
  update interlock.job_lanes as l
  set blocked_on = case
        when not v_may_reserve and v_user_key is not null and v_obstacle <> v_user_key and v_queue.scheduling = 'fair' and (
          select (f.rank, f.id) < (v_lane.rank, p_lane_id) from interlock.first_of_user(v_obstacle, v_user_key, v_lane.route) as f
        ) then interlock.sibling_line(v_obstacle, v_user_key)
        else v_obstacle
      end,
      reserving = v_may_reserve,
      seniority = v_head.seniority,
      waiting_since = v_head.queued_at,
      blocked_head = v_head.id
  where l.id = p_lane_id;

  v_others := array_remove(v_others, v_obstacle);
  perform interlock.promote_siblings(array_fill(v_lane.route, array[cardinality(v_others)]), array_fill(v_user_key, array[cardinality(v_others)]), v_others);

  -- It may have been woken for what it cannot use, or holds back no longer: pass that on, its obstacle included.
  v_mine := array(
    select n.resource
    from unnest(v_needed) as n (resource)
    where not exists (select from interlock.job_queue_state as s where s.resource = n.resource and s.reserved_lane_id = p_lane_id)
  );
  woken_routes := interlock.wake_resources(v_mine, array_fill(1, array[cardinality(v_mine)]));
  return next;
end
$$;

comment on function interlock.examine_lane(text, uuid, timestamptz) is
  'The examination of one lane by every rule of scheduling: start its head, or park it on the first resource that it cannot use, reserving what is before that if it may, and wake what it cannot use. claim_jobs() decides the everyday case (nothing reserved, nobody overdue) for many lanes at once and leaves the rest to this. Called with the lane''s row and all its resources locked. Returns the assignments (none or one), whether the head was merely locked, and the routes of the lanes that were made awake.';

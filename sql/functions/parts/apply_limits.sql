create function interlock.apply_limits(p_pattern text) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_prefix text := pg_catalog.rtrim(p_pattern, '*');
  v_is_prefix boolean := p_pattern like '%*';
  v_routes text[];
  v_now timestamptz := interlock.clock();
begin
  -- A new limit counts what already runs: a job that needs it now holds it from now on, in a slot of its own beyond the
  -- others, which retires when it is freed. The jobs by id first: start_jobs() locks them so, without the key limits.
  perform
  from interlock.jobs as j
  where j.held is not null
  order by j.id
  for no key update;
  with missing as materialized (
    select j.id, j.kind, j.token, j.resources, j.assigned_at, d.resource,
      row_number() over (partition by d.resource order by j.token) + coalesce((
        select max(s.slot) from interlock.job_queue_state as s where s.resource = d.resource
      ), 0) as slot
    from interlock.agent_stats as a
    join interlock.jobs as j on j.agent_id = a.id and j.held is not null
    cross join lateral interlock.lane_demand(j.queue || '/' || j.permission_level, j.task, j.resources) as d
    where d.capacity is not null
      and (d.resource = p_pattern or (v_is_prefix and starts_with(d.resource, v_prefix)))
      and d.resource <> all (j.held)
      and d.resource not like 'rate:%'
      -- Who has given back what comes before it in resource order takes it with that, and holds nothing later meanwhile.
      and not interlock.is_given_back(j.id, j.token, d.resource)
  ),
  counted as (
    insert into interlock.job_queue_state (resource, slot, active_job_id, active_job_type, active_models, started_at, fence)
    select m.resource, m.slot, m.id, m.kind, array(select substr(x, 7) from unnest(m.resources) as x where x like 'model:%'), m.assigned_at, m.token
    from missing as m
  )
  update interlock.jobs as j
  set held = j.held || m.resources,
      held_slots = j.held_slots || m.slots
  from (
    select x.id, array_agg(x.resource) as resources, array_agg(x.slot::integer) as slots
    from missing as x
    group by x.id
  ) as m
  where j.id = m.id;
  -- So does a new start rate what was started within the last minute and still runs; one that was there before, and for a
  -- while was not, has counted some of it already.
  insert into interlock.job_queue_state (resource, slot, started_at, taken_until, fence)
  select d.resource,
    row_number() over (partition by d.resource order by j.token) + coalesce((
      select max(s.slot) from interlock.job_queue_state as s where s.resource = d.resource
    ), 0),
    j.assigned_at, j.assigned_at + interval '1 minute', j.token
  from interlock.agent_stats as a
  join interlock.jobs as j on j.agent_id = a.id and j.held is not null
  cross join lateral interlock.lane_demand(j.queue || '/' || j.permission_level, j.task, j.resources) as d
  where d.resource like 'rate:%'
    and (d.resource = 'rate:' || p_pattern or (v_is_prefix and starts_with(d.resource, 'rate:' || v_prefix)))
    and j.assigned_at > v_now - interval '1 minute'
    and not exists (select from interlock.job_queue_state as s where s.resource = d.resource and s.fence = j.token);
  -- Surplus reservations, beyond what the new capacity leaves, go back, and all of what is not limited any more: nobody
  -- would ask for it again. Their lanes are examined anew.
  with over as (
    select s.resource, s.slot,
      row_number() over (partition by s.resource order by s.slot desc) as nth,
      case when m.capacity is null or not interlock.is_demanded(s.resource) then 2147483647 else c.used - m.capacity end as surplus
    from interlock.job_queue_state as s
    cross join lateral interlock.limit_of(s.resource) as m
    cross join lateral (
      select count(*) as used
      from interlock.job_queue_state as o
      where o.resource = s.resource
        and interlock.is_taken(o.active_job_id, o.reserved_lane_id, o.taken_until, v_now)
    ) as c
    where s.reserved_lane_id is not null
      and (s.resource = p_pattern or (v_is_prefix and starts_with(s.resource, v_prefix)))
  )
  update interlock.job_queue_state as s
  set reserved_lane_id = null
  from over as o
  where s.resource = o.resource
    and s.slot = o.slot
    and o.nth <= o.surplus;
  -- Slots beyond the capacity that nobody uses go too.
  delete from interlock.job_queue_state as s
  where (s.resource = p_pattern or (v_is_prefix and starts_with(s.resource, v_prefix)))
    and not interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, v_now)
    and s.slot > (select m.capacity from interlock.limit_of(s.resource) as m);

  -- Whoever stands behind a sibling for it steps into the line.
  update interlock.job_lanes as l
  set blocked_on = interlock.obstacle_of(l.blocked_on)
  where l.blocked_on >= v_prefix
    and strpos(l.blocked_on, E'\x1f') > 0
    and (interlock.obstacle_of(l.blocked_on) = p_pattern or (v_is_prefix and starts_with(l.blocked_on, v_prefix)));

  -- What is parked on it may be startable now, and what reserves may hold too little or too much: all that are first in
  -- line, as many as there are free slots, and all that reserve. One that is not limited any more frees everybody.
  with recursive obstacle (resource) as (
    (
      select l.blocked_on
      from interlock.job_lanes as l
      where l.blocked_on >= v_prefix
        and (l.blocked_on = p_pattern or (v_is_prefix and starts_with(l.blocked_on, v_prefix)))
      order by l.blocked_on
      limit 1
    )
    union all
    select (
      select l.blocked_on
      from interlock.job_lanes as l
      where l.blocked_on > o.resource
        and v_is_prefix
        and starts_with(l.blocked_on, v_prefix)
      order by l.blocked_on
      limit 1
    )
    from obstacle as o
    where o.resource is not null
  ),
  freed as materialized (
    select o.resource, m.capacity, interlock.is_demanded(o.resource) as is_demanded,
      m.capacity - (
        select count(*)
        from interlock.job_queue_state as s
        where s.resource = o.resource
          and interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, v_now)
      ) as free
    from obstacle as o
    cross join lateral interlock.limit_of(o.resource) as m
    where o.resource is not null
      and not m.is_paused
  ),
  first as materialized (
    select l.id
    from freed as f
    cross join lateral (
      select x.id
      from (select distinct a.route from interlock.agent_stats as s cross join lateral unnest(s.routes) as a (route) where s.state <> 'gone'
        union select q.name || '/' || p.level from interlock.queues as q cross join unnest(array['autonomous', 'supervised', 'human_required']) as p (level)) as r
      cross join lateral (
        select y.id
        from interlock.job_lanes as y
        where y.blocked_on = f.resource
          and y.route = r.route
        order by y.rank, y.id
        limit case when f.capacity is null or not f.is_demanded then null else greatest(f.free, 0) end
      ) as x
    ) as l
  ),
  moved as (
    update interlock.job_lanes as l
    set blocked_on = null,
        awake_by = pg_current_xact_id()
    where l.blocked_on is not null
      and (l.id in (select f.id from first as f)
        or (l.reserving and exists (
          select
          from unnest(l.resources || array['limit:all', 'queue:' || split_part(l.route, '/', 1), 'task:' || l.task]) as n (resource)
          where n.resource = p_pattern or (v_is_prefix and starts_with(n.resource, v_prefix)))))
    returning l.route
  )
  select array_agg(distinct m.route) into v_routes from moved as m;
  perform interlock.ring(coalesce(v_routes, '{}'));
end
$$;

comment on function interlock.apply_limits(text) is
  'Makes a change of a limit (or of a pause) felt by what is parked and by what reserves. Called with the key limits taken exclusively. Locks the jobs that run, by id, then lanes, waiting for absorbers and the tick.';

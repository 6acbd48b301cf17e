create function interlock.read_slots(p_names text[], p_capacities integer[], p_locked boolean[], out free integer[], out contested boolean[])
language plpgsql
set search_path = ''
as $$
declare
  v_now constant timestamptz := interlock.clock();
  v_more constant boolean := interlock.any_more_slots();
  v_any_missing boolean;
begin
  select
    coalesce(array_agg(n.capacity - s.used order by n.n), '{}'),
    coalesce(array_agg(s.reserved > 0 order by n.n), '{}'),
    coalesce(bool_or(n.locked and s.slots < n.capacity), false)
  into free, contested, v_any_missing
  from unnest(p_names, p_capacities, p_locked) with ordinality as n (resource, capacity, locked, n)
  cross join lateral (
    select
      count(*) filter (where interlock.is_taken(q.active_job_id, q.reserved_lane_id, q.taken_until, v_now))::integer as used,
      count(*) filter (where q.reserved_lane_id is not null) as reserved,
      count(*) filter (where q.slot <= n.capacity) as slots
    from interlock.slots_of(n.resource, v_more) as q
  ) as s;
  -- Who reserves what is locked here began to under that lock: seen now, if it is so. Nearly always nobody does.
  if interlock.any_reserving() then
    contested := array(
      select contested[n.n] or exists (select from interlock.job_lanes as o where o.reserving and o.blocked_on = n.resource)
        or exists (
          select from interlock.job_lanes as o
          where o.reserving and o.blocked_on is null and interlock.lane_needs(o.route, o.task, o.resources, n.resource)
        )
      from unnest(p_names) with ordinality as n (resource, n)
      order by n.n
    );
  end if;
  if v_any_missing then
    insert into interlock.job_queue_state (resource, slot)
    select n.resource, g.slot
    from unnest(p_names, p_capacities, p_locked) as n (resource, capacity, locked)
    cross join lateral generate_series(1, n.capacity) as g (slot)
    where n.locked
      and (select true from interlock.slots_of(n.resource, g.slot > 1) as s where s.slot = g.slot) is null
    on conflict do nothing;
  end if;
end
$$;

comment on function interlock.read_slots(text[], integer[], boolean[]) is
  'How many slots of each resource are free, and whether somebody has reserved one or is reserving and wants one. Called in a later statement than their locks; makes the slots that are missing of those that were locked.';

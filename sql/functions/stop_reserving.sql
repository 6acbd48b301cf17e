create function interlock.stop_reserving(p_lane_id uuid) returns boolean
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_needed text[];
begin
  perform interlock.lock_limits();
  v_needed := array(
    select s.resource
    from interlock.job_queue_state as s
    where s.resource = any (array(
        select d.resource
        from interlock.job_lanes as l
        cross join lateral interlock.lane_demand(l.route, l.task, l.resources) as d
        where l.id = p_lane_id
      ))
    union
    select d.resource
    from interlock.job_lanes as l
    cross join lateral interlock.lane_demand(l.route, l.task, l.resources) as d
    where l.id = p_lane_id
  );
  perform interlock.lock_resources(v_needed);
  perform
  from interlock.job_lanes as l
  where l.id = p_lane_id
    and l.reserving
    and l.route <> all (interlock.served_routes(v_now))
  for no key update;
  if not found then
    return false;
  end if;
  update interlock.job_queue_state as s
  set reserved_lane_id = null
  where s.resource = any (v_needed)
    and s.reserved_lane_id = p_lane_id;
  update interlock.job_lanes as l
  set reserving = false,
      blocked_on = null,
      awake_by = pg_current_xact_id()
  where l.id = p_lane_id;
  perform interlock.wake_and_ring(v_needed);
  return true;
end
$$;

comment on function interlock.stop_reserving(uuid) is
  'Vacates the reservations of a lane whose route is paused or has no live agent any more; it keeps its rank. Returns whether it did. Locks: limits, shared; all the lane''s resources, waiting, by lock key; the lane''s row; then lanes that it wakes. Must be the first of its transaction (IL010). Run by the tick.';

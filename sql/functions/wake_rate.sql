create function interlock.wake_rate(p_resource text) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_free integer;
begin
  perform interlock.lock_limits();
  perform interlock.lock_resources(array[p_resource]);
  select least(m.capacity - pg_catalog.count(s.slot), 1000)
  into v_free
  from interlock.limit_of(p_resource) as m
  left join interlock.job_queue_state as s
    on s.resource = p_resource
    and interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, interlock.clock())
  group by m.capacity;
  if v_free > 0 then
    perform interlock.wake_and_ring(array_fill(p_resource, array[v_free]));
  end if;
end
$$;

comment on function interlock.wake_rate(text) is
  'Wakes a start rate (rate:RESOURCE) as often as there is room in it. Locks: limits, shared; the rate; then lanes that it wakes. Must be the first of its transaction (IL010). Run by the tick.';

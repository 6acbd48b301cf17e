create function interlock.can_use(p_resource text, p_lane_id uuid, p_rank timestamptz) returns boolean
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select not m.is_paused
    and (m.capacity is null
      or s.is_mine
      or m.capacity - s.used > interlock.senior_reservers(p_resource, p_lane_id, p_rank))
  from interlock.limit_of(p_resource) as m
  cross join lateral (
    select
      pg_catalog.count(*) filter (where interlock.is_taken(q.active_job_id, q.reserved_lane_id, q.taken_until, interlock.clock())) as used,
      coalesce(pg_catalog.bool_or(q.reserved_lane_id = p_lane_id), false) as is_mine
    from interlock.job_queue_state as q
    where q.resource = p_resource
  ) as s
$$;

comment on function interlock.can_use(text, uuid, timestamptz) is
  'Usable: the lane has a slot of it reserved, or its free slots outnumber the more senior reserving lanes that want it next. A paused one is not. Meaningful under the resource''s lock.';

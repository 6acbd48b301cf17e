create function interlock.slots_of(p_resource text, p_more boolean)
returns table (place tid, slot integer, active_job_id text, reserved_lane_id uuid, taken_until timestamptz)
language sql stable
as $$
  select f.place, f.slot, f.active_job_id, f.reserved_lane_id, f.taken_until
  from (
    select q.ctid as place, q.slot, q.active_job_id, q.reserved_lane_id, q.taken_until
    from interlock.job_queue_state as q
    where q.resource = p_resource
      and q.slot >= 1
    order by q.resource, q.slot, q.era desc
    limit 1
  ) as f
  where f.slot = 1
  union all
  select q.ctid, q.slot, q.active_job_id, q.reserved_lane_id, q.taken_until
  from interlock.job_queue_state as q
  where p_more
    and q.resource = p_resource
    and q.slot > 1
$$;

comment on function interlock.slots_of(text, boolean) is
  'The slots of a resource. p_more: whether any resource has more than one, asked once by the caller (any_more_slots()); the first is found by its newest era, and nothing older is passed. Inlined into the caller''s plan, hence without a pinned search_path; all names are qualified.';

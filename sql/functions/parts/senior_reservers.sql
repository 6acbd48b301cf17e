create function interlock.senior_reservers(p_resource text, p_lane_id uuid, p_rank timestamptz) returns bigint
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select pg_catalog.count(*)
  from (
    select 1
    from interlock.job_lanes as o
    where o.reserving
      and o.blocked_on = p_resource
      and (o.rank, o.id) < (p_rank, p_lane_id)
    union all
    select 1
    from interlock.job_lanes as o
    where o.reserving
      and o.blocked_on is null
      and (o.rank, o.id) < (p_rank, p_lane_id)
      and interlock.lane_needs(o.route, o.task, o.resources, p_resource)
      and not exists (
        select
        from interlock.job_queue_state as s
        where s.resource = p_resource
          and s.reserved_lane_id = o.id
      )
    limit 100000
  ) as wanting
$$;

comment on function interlock.senior_reservers(text, uuid, timestamptz) is
  'How many reserving lanes that are more senior than this one want the resource next: parked on it, or awake and without it yet. Free slots are theirs first; otherwise younger lanes would slip past who is next, for ever.';

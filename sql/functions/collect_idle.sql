create function interlock.collect_idle(p_limit integer default 200)
returns table (lanes integer, slots integer)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  perform interlock.lock_limits();
  -- A lane with nothing in it and nothing said of it; whoever enqueues into it makes it again.
  with idle as materialized (
    select l.id
    from interlock.job_lanes as l
    where l.rank is null
      and coalesce(l.last_started_at, '-infinity') < v_now - interval '1 minute'
    limit p_limit
    for no key update skip locked
  ),
  gone as (
    delete from interlock.job_lanes as l
    using idle as i
    where l.id = i.id
      and not exists (select from interlock.job_lane_touches as t where t.lane_id = l.id)
      and not exists (select from interlock.jobs as j where j.lane_id = l.id and j.status = 'pending')
    returning 1
  )
  select count(*) into lanes from gone;

  with idle as materialized (
    select s.resource, pg_catalog.pg_try_advisory_xact_lock(interlock.lock_key(s.resource)) as locked
    from (
      select q.resource
      from interlock.job_queue_state as q
      group by q.resource
      having bool_and(q.active_job_id is null and q.reserved_lane_id is null and coalesce(q.started_at, '-infinity') < v_now - interval '1 minute')
      limit p_limit
    ) as s
  ),
  gone as (
    delete from interlock.job_queue_state as s
    using idle as i
    where i.locked
      and s.resource = i.resource
      and s.active_job_id is null
      and s.reserved_lane_id is null
    returning 1
  )
  select count(*) into slots from gone;
  return next;
end
$$;

comment on function interlock.collect_idle(integer) is
  'Takes away lanes that have been empty, and the slots of resources that have been idle, for a minute; up to p_limit of each. Returns how many. Locks: limits, shared; lanes, SKIP LOCKED; the resources, by try only. Must be the first of its transaction (IL010). Run by the tick.';

create function interlock.collect_idle(
  p_after_lane uuid default '00000000-0000-0000-0000-000000000000', p_after_resource text default '', p_limit integer default 1000
) returns table (lanes integer, slots integer, next_lane uuid, next_resource text)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_seen integer;
begin
  p_limit := interlock.row_limit(p_limit);
  perform interlock.lock_limits();
  -- A stretch of each table at a time, in the order of its key: what is idle has no index of its own, which every start would
  -- have to keep, and a look at all of them for what is idle would cost the more the more is not.
  with stretch as materialized (
    select l.id, l.rank
    from interlock.job_lanes as l
    where l.id > p_after_lane
    order by l.id
    limit p_limit
  ),
  idle as materialized (
    -- A lane that was emptied by a cancel; one that a start emptied went with it.
    select l.id
    from interlock.job_lanes as l
    where l.id = any (array(
        select s.id
        from stretch as s
        where s.rank is null
      ))
      and l.rank is null
    order by l.id
    for no key update skip locked
  ),
  gone as (
    delete from interlock.job_lanes as l
    using idle as i
    where l.id = i.id
      and not exists (select from interlock.jobs as j where j.lane_id = l.id and j.status = 'pending')
    returning 1
  )
  select (select count(*) from gone), (select count(*) from stretch), (select s.id from stretch as s order by s.id desc limit 1)
  into lanes, v_seen, next_lane;
  if v_seen < p_limit then
    next_lane := '00000000-0000-0000-0000-000000000000';
  end if;

  with stretch as materialized (
    select q.resource, q.slot, q.active_job_id, q.reserved_lane_id, greatest(q.started_at, q.taken_until) as started_at
    from interlock.job_queue_state as q
    where q.resource > p_after_resource
    order by q.resource, q.slot
    limit p_limit
  ),
  idle as materialized (
    select s.resource, pg_try_advisory_xact_lock(interlock.lock_key(s.resource)) as locked
    from (
      select x.resource
      from stretch as x
      group by x.resource
      having bool_and(x.active_job_id is null and x.reserved_lane_id is null and coalesce(x.started_at, '-infinity') < v_now - interval '1 minute')
      order by x.resource
      limit 100
    ) as s
  ),
  gone as (
    delete from interlock.job_queue_state as s
    using idle as i
    where i.locked
      and s.resource = i.resource
      and not interlock.is_taken(s.active_job_id, s.reserved_lane_id, s.taken_until, v_now)
    returning 1
  )
  select (select count(*) from gone), (select count(*) from stretch), coalesce(
    -- From the last that was tried, where there were more idle ones than may be locked at once.
    (select max(i.resource) from idle as i having count(*) = 100),
    (select s.resource from stretch as s order by s.resource desc limit 1))
  into slots, v_seen, next_resource;
  if v_seen < p_limit and next_resource is not distinct from (select max(q.resource) from interlock.job_queue_state as q) then
    next_resource := '';
  end if;
  next_resource := coalesce(next_resource, '');
  return next;
end
$$;

comment on function interlock.collect_idle(uuid, text, integer) is
  'Takes away lanes that are empty, and the slots of resources that have been idle for a minute: looks at up to p_limit of each after the given ones, and at most 100 resources are taken at once. Returns how many went, and from where to go on (the first values: from the start). Locks: limits, shared; lanes, SKIP LOCKED; the resources, by try only. Must be the first of its transaction (IL010). Run by the tick.';

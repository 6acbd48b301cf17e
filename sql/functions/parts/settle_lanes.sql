create function interlock.settle_lanes(
  p_lane_ids uuid[], p_park_on text[], p_started boolean[], p_several boolean[], p_now timestamptz
) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
begin
  with done as materialized (
    select u.id, u.park_on, u.started, u.several, l.route, l.rank, l.last_started_at, l.resources, l.blocked_head,
      q.name as queue, q.scheduling, q.patience_seconds,
      case when l.resources[1] like 'user:%' then l.resources[1] end as user_key,
      h.id as head_id, h.kind, h.seniority, h.queued_at
    from unnest(p_lane_ids, p_park_on, p_started, p_several) as u (id, park_on, started, several)
    join interlock.job_lanes as l on l.id = u.id
    join interlock.queues as q on q.name = split_part(l.route, '/', 1)
    left join lateral (
      select j.id, j.kind, j.seniority, j.queued_at
      from interlock.jobs as j
      where j.lane_id = u.id and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h on true
  ),
  decided as materialized (
    select d.id, d.head_id, d.kind, d.queued_at, d.started, d.queue, d.user_key, d.scheduling, d.blocked_head,
      case
        when d.head_id is null and d.started then null
        when d.head_id is null or not d.started then d.rank
        else interlock.lane_rank(d.scheduling, d.patience_seconds, d.seniority, d.queued_at,
          case when d.user_key is not null then p_now end, p_now)
      end as rank,
      -- A next head that is overdue and needs several may reserve: it stays awake, to be examined by every rule.
      case
        when d.head_id is null then null
        when d.started and d.several and extract(epoch from p_now - d.queued_at) >= d.patience_seconds then null
        else d.park_on
      end as park_on
    from done as d
  ),
  reasons as materialized (
    select d.id, c.reason, c.holder_id
    from decided as d
    cross join lateral interlock.conflict_reason(d.park_on) as c
    where d.park_on is not null
      and d.blocked_head is distinct from d.head_id
  ),
  moved as (
    update interlock.job_lanes as l
    set rank = d.rank,
        blocked_on = d.park_on,
        waiting_since = d.queued_at,
        last_started_at = case when d.started then p_now else l.last_started_at end,
        blocked_head = case when d.park_on is not null then d.head_id else l.blocked_head end
    from decided as d
    where l.id = d.id
  ),
  served as (
    insert into interlock.lane_users as u (queue, user_key, last_started_at)
    select d.queue, d.user_key, p_now
    from (
      select distinct x.queue, x.user_key
      from decided as x
      where x.started
        and x.user_key is not null
        and x.scheduling = 'fair'
      offset 0
    ) as d
    -- Held already, but where users are unlimited: there two claimers may serve one user, and would wait for each other
    -- in no order. Who is beaten to the note was served at this moment anyway.
    where pg_try_advisory_xact_lock(interlock.lock_key(d.user_key))
    on conflict (queue, user_key) do update
    set last_started_at = excluded.last_started_at
  )
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, conflict_reason, details)
  select p_now, 'blocked', d.head_id, d.kind, 'pending', 'pending', r.reason,
    jsonb_build_object('blocked_on', d.park_on, 'blocked_by_job_id', r.holder_id)
  from reasons as r
  join decided as d on d.id = r.id;
end
$$;

comment on function interlock.settle_lanes(uuid[], text[], boolean[], boolean[], timestamptz) is
  'Writes what claim_jobs() decided of lanes: the rank from the next head (null when it was emptied), the resource that it parks on, when the lane and its user were served, and one blocked event for each head that parks. A lane whose head vanished meanwhile stays awake, so that a claim vacates it.';

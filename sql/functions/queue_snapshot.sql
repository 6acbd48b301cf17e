create function interlock.queue_snapshot(p_list_limit integer default 100, p_count_limit integer default 10000) returns jsonb
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := interlock.clock();
  v_counted record;
  v_lists jsonb;
begin
  p_list_limit := interlock.row_limit(p_list_limit);
  p_count_limit := interlock.row_limit(p_count_limit);
  select c.is_estimated, c.counts, c.pending, c.oldest_queued_at
  into v_counted
  from interlock.count_live_jobs(p_count_limit) as c;

  with lines as materialized (
    select l.blocked_on, l.route, l.rank, l.waiting_since
    from interlock.waiting_lines() as l
  ),
  -- Whoever is among the first hundred stands in one of the hundred lines whose first is soonest.
  first_lines as materialized (
    select l.blocked_on, l.route from lines as l order by l.rank limit p_list_limit
  ),
  first_lanes as materialized (
    select f.id, f.rank
    from (
      select l.id, l.rank
      from first_lines as s
      cross join lateral (
        select k.id, k.rank
        from interlock.job_lanes as k
        where k.blocked_on = s.blocked_on and k.route = s.route
        order by k.rank, k.id
        limit p_list_limit
      ) as l
      where s.blocked_on is not null
      union all
      select l.id, l.rank
      from first_lines as s
      cross join lateral (
        select k.id, k.rank
        from interlock.job_lanes as k
        where k.rank is not null and k.blocked_on is null and k.route = s.route
        order by k.rank, k.id
        limit p_list_limit
      ) as l
      where s.blocked_on is null
      order by rank
      limit p_list_limit
    ) as f
    union all
    -- What nobody has absorbed yet waits as well: without an agent, for ever.
    select u.lane_id, null
    from (
      select distinct t.lane_id
      from (select i.lane_id from interlock.job_lane_touches as i order by i.inserted_by limit 10 * p_list_limit) as t
      limit p_list_limit
    ) as u
    where not exists (select from interlock.job_lanes as k where k.id = u.lane_id and k.rank is not null)
  ),
  -- With a hundred lanes at hand, nobody behind the head of the hundredth is among the first hundred: without this bound a
  -- hundred deep lanes cost the reading of 10,000 jobs.
  bound as materialized (
    select case when pg_catalog.count(f.rank) < p_list_limit then 'infinity' else pg_catalog.max(f.rank) end as place
    from first_lanes as f
  ),
  first_jobs as materialized (
    select j.id, greatest(f.rank, j.seniority) as place, j.seniority
    from first_lanes as f
    cross join bound as b
    cross join lateral (
      select k.id, k.seniority
      from interlock.jobs as k
      where k.lane_id = f.id and k.status = 'pending' and k.seniority <= b.place
      order by k.seniority, k.id
      limit p_list_limit
    ) as j
    order by place, j.seniority, j.id
    limit p_list_limit
  ),
  holding as materialized (
    select j.id, j.user_name, j.held, j.assigned_at
    from interlock.jobs as j
    where j.held is not null
  ),
  user_locks as materialized (
    select pg_catalog.substr(r.resource, 6) as user_name, h.id, h.assigned_at
    from holding as h
    cross join lateral pg_catalog.unnest(h.held) as r (resource)
    where r.resource like 'user:%'
  )
  select pg_catalog.jsonb_build_object(
    'active_jobs', (
      select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'job_id', a.job_id, 'job_type', a.job_type, 'models', a.models, 'status', a.status, 'task', a.task, 'user', a.user_name,
        'queue', a.queue, 'agent_id', a.agent_id, 'resources', a.resources, 'progress', a.progress,
        'progress_description', a.progress_description, 'assigned_at', a.assigned_at, 'started_at', a.started_at,
        'must_end_at', a.must_end_at) order by a.assigned_at, a.job_id), '[]')
      from interlock.active_jobs as a
      where a.job_id in (select h.id from holding as h order by h.assigned_at, h.id limit p_list_limit)),
    'queued_jobs', (
      select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'job_id', w.job_id, 'job_type', w.job_type, 'model', w.models[1], 'models', w.models, 'task', w.task, 'user', w.user_name,
        'queue', w.queue, 'priority', interlock.priority_name(w.priority), 'blocked_by_job_id', w.blocked_by_job_id,
        'conflict_reason', w.conflict_reason, 'queued_at', w.queued_at) order by f.place, f.seniority, f.id), '[]')
      from first_jobs as f
      join interlock.waiting_jobs as w on w.job_id = f.id),
    'slots_used', (select pg_catalog.count(*) from holding as h),
    'by_user', (
      select coalesce(pg_catalog.jsonb_object_agg(u.user_name, u.n), '{}')
      from (
        select h.user_name, pg_catalog.count(*) as n
        from holding as h
        where h.user_name is not null
        group by 1
        order by 2 desc, 1
        limit p_list_limit
      ) as u),
    'users_active', (select pg_catalog.count(distinct h.user_name) from holding as h),
    'user_locks', (select pg_catalog.count(*) from user_locks as u),
    'user_lock_details', (
      select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'user', u.user_name, 'task_id', u.id, 'acquired_at', u.assigned_at, 'expires_at', a.must_end_at) order by u.assigned_at, u.id), '[]')
      from (select k.user_name, k.id, k.assigned_at from user_locks as k order by k.assigned_at, k.id limit p_list_limit) as u
      join interlock.active_jobs as a on a.job_id = u.id),
    'startable_lanes', (
      select pg_catalog.count(*)
      from (select from interlock.job_lanes as l where l.rank is not null and l.blocked_on is null limit 1000) as l),
    'backlog', (
      select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'scope', b.scope, 'max_unfinished', b.max_unfinished, 'when_full', b.when_full, 'refuse_after_wait_seconds', b.refuse_after_wait_seconds,
        'unfinished', b.unfinished, 'is_full', b.is_full, 'is_refusing', b.is_refusing, 'reason', b.reason) order by b.scope), '[]')
      from interlock.backlog_fullness as b),
    'first_in_line_since', (select pg_catalog.min(l.waiting_since) from lines as l),
    'agents', (
      select pg_catalog.jsonb_build_object(
        'total', pg_catalog.count(*),
        'idle', pg_catalog.count(*) filter (where a.state = 'active' and a.active_jobs = 0),
        'busy', pg_catalog.count(*) filter (where a.state <> 'suspended' and a.active_jobs > 0),
        'suspended', pg_catalog.count(*) filter (where a.state = 'suspended'),
        'draining', pg_catalog.count(*) filter (where a.state = 'draining'),
        'overloaded', pg_catalog.count(*) filter (where a.state = 'active' and a.active_jobs >= a.slots_open and a.active_jobs < a.slots),
        'slots', coalesce(pg_catalog.sum(a.slots), 0),
        'room', coalesce(pg_catalog.sum(greatest(a.slots_open - a.active_jobs, 0)) filter (where a.state = 'active'), 0))
      from interlock.agent_stats as a
      where a.state <> 'gone' and a.lease_until > v_now and a.id <> interlock.locks_agent())
  )
  into v_lists;

  return v_lists || pg_catalog.jsonb_build_object(
    'taken_at', v_now,
    'is_estimated', v_counted.is_estimated,
    'counts', v_counted.counts,
    'pending', v_counted.pending,
    -- A sample may miss the oldest; whoever is first in a line is among the oldest.
    'oldest_queued_at', least(
      v_counted.oldest_queued_at,
      case when v_counted.is_estimated then (v_lists ->> 'first_in_line_since')::timestamptz end));
end
$$;

comment on function interlock.queue_snapshot(integer, integer) is
  'All that a person wants to know at a glance, as one JSON object from one snapshot: active jobs, the jobs that wait in about the order of starting with blocker and reason, locks by user, agents, limits of unfinished jobs, counts by queue and state. Lists are cut at the first argument. Up to the second so many live jobs are counted, more are estimated (is_estimated): its cost does not grow with what waits. Locks nothing.';

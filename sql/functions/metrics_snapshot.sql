create function interlock.metrics_snapshot(p_count_limit integer default 10000) returns jsonb
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := interlock.clock();
  v_counted record;
  v_figures jsonb;
begin
  p_count_limit := interlock.row_limit(p_count_limit);
  select c.is_estimated, c.counts
  into v_counted
  from interlock.count_live_jobs(p_count_limit) as c;

  with held as materialized (
    select h.resource, pg_catalog.count(*) as n
    from (select j.held from interlock.jobs as j where j.held is not null limit p_count_limit) as j
    cross join lateral pg_catalog.unnest(j.held) as h (resource)
    group by h.resource
  ),
  -- A reserving lane holds a prefix of what it needs: its own slots are found by their key.
  reserved as materialized (
    select s.resource, pg_catalog.count(*) as n
    from (select l.id, l.resources from interlock.job_lanes as l where l.reserving limit 1000) as l
    cross join lateral pg_catalog.unnest(l.resources) as r (resource)
    join interlock.job_queue_state as s on s.resource = r.resource and s.reserved_lane_id = l.id
    group by s.resource
  ),
  -- A slot becomes a row when it is first needed: how many are free is known of what has a limit of its own.
  free as (
    select l.pattern as resource, greatest(0, l.capacity - coalesce(h.n, 0) - coalesce(r.n, 0)) as n
    from (
      select x.pattern, x.capacity
      from interlock.resource_limits as x
      where x.capacity is not null and pg_catalog.right(x.pattern, 1) <> '*'
      order by x.pattern
      limit 1000
    ) as l
    left join held as h on h.resource = l.pattern
    left join reserved as r on r.resource = l.pattern
  ),
  slots as (
    select pg_catalog.split_part(u.resource, ':', 1) as kind, u.state, pg_catalog.sum(u.n) as n
    from (
      select h.resource, 'held' as state, h.n from held as h
      union all
      select r.resource, 'reserved', r.n from reserved as r
      union all
      select f.resource, 'free', f.n from free as f
    ) as u
    group by 1, 2
    order by 1, 2
    limit 300
  ),
  alive as materialized (
    select a.slots, a.active_jobs, a.load_score,
      case
        when a.state <> 'active' then a.state::text
        when a.active_jobs > 0 then 'busy'
        else 'idle'
      end as state
    from interlock.agent_stats as a
    where a.state <> 'gone'
      and a.lease_until > v_now
      and a.id <> interlock.locks_agent()
  )
  select pg_catalog.jsonb_build_object(
    'totals', (
      select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(t.measure, t.queue, t.outcome, t.bucket, t.total, t.seconds)), '[]')
      from (
        select e.measure, e.queue, e.outcome, e.bucket, e.total, e.seconds
        from interlock.event_totals as e
        order by e.measure, e.queue, e.outcome, e.bucket
        limit 50000
      ) as t),
    'counted_seconds_ago', (
      select case
        when c.counted_to >= case when s.is_called then s.last_value else s.last_value - 1 end then 0
        else greatest(0, extract(epoch from v_now - c.counted_at))
      end
      from interlock.event_cursor as c
      cross join interlock.job_queue_log_id_seq as s),
    'queues', (select coalesce(pg_catalog.jsonb_agg(q.name order by q.name), '[]') from (select x.name from interlock.queues as x order by x.name limit 1000) as q),
    'oldest_waits', (
      select coalesce(pg_catalog.jsonb_object_agg(w.queue, w.seconds), '{}')
      from (
        select pg_catalog.split_part(o.route, '/', 1) as queue, greatest(0, extract(epoch from v_now - pg_catalog.min(o.since))) as seconds
        from interlock.oldest_waits(p_count_limit) as o
        group by 1
      ) as w),
    'slots', (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('kind', s.kind, 'state', s.state, 'count', s.n)), '[]') from slots as s),
    'agents', (
      select pg_catalog.jsonb_build_object(
        'idle', pg_catalog.count(*) filter (where a.state = 'idle'),
        'busy', pg_catalog.count(*) filter (where a.state = 'busy'),
        'suspended', pg_catalog.count(*) filter (where a.state = 'suspended'),
        'draining', pg_catalog.count(*) filter (where a.state = 'draining'))
      from alive as a),
    'agent_slots', (
      select pg_catalog.jsonb_build_object(
        'used', coalesce(pg_catalog.sum(a.active_jobs), 0),
        'free', coalesce(pg_catalog.sum(greatest(0, a.slots - a.active_jobs)), 0))
      from alive as a),
    'agent_load', (
      select pg_catalog.jsonb_build_object('least', pg_catalog.min(a.load_score), 'mean', pg_catalog.avg(a.load_score), 'most', pg_catalog.max(a.load_score))
      from alive as a),
    'alarms', (
      select coalesce(pg_catalog.jsonb_object_agg(r.rule, r.n), '{}')
      from (select x.rule, pg_catalog.count(*) as n from interlock.raised_alarms as x group by 1) as r),
    'oldest_snapshot_seconds', (select coalesce(pg_catalog.max(o.seconds), 0) from interlock.old_snapshots(0) as o),
    'oldest_xmin_age', (
      select coalesce(pg_catalog.max(pg_catalog.age(a.backend_xmin)), 0)
      from pg_catalog.pg_stat_activity as a
      where a.backend_xmin is not null
        and a.pid <> pg_catalog.pg_backend_pid()))
  into v_figures;

  return v_figures || pg_catalog.jsonb_build_object('is_estimated', v_counted.is_estimated, 'counts', v_counted.counts);
end
$$;

comment on function interlock.metrics_snapshot(integer) is
  'All figures that GET /metrics shows of the database, as one JSON object from one snapshot: the totals that count_events() keeps, depth by queue and state, the oldest wait by queue, slots by kind of resource, agents, raised alarms, and how old the oldest transaction is that keeps the past alive. No id of a job, a user or a resource is in it. Up to p_count_limit live jobs are counted, more are estimated (is_estimated): its cost grows neither with what waits nor with what has ended. Locks nothing. Raises IL005.';

create function interlock.heartbeat_agent(p_agent_id text, p_job_ids text[], p_tokens bigint[], p_load jsonb default '{}')
returns table (lease_until timestamptz, lease_seconds integer, state text, stop jsonb, unknown_count integer)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_agent interlock.agent_stats;
  v_cpu real := (p_load ->> 'cpu_percent')::real;
  v_memory real := (p_load ->> 'memory_percent')::real;
  v_depth integer := (p_load ->> 'queue_depth')::integer;
  v_score real;
  v_unlisted text[];
  v_unlisted_tokens bigint[];
begin
  perform interlock.refuse_locks_agent(p_agent_id);
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  -- CPU 40 %, memory 35 %, queue depth 25 %: what it has in hand against what it may have.
  v_score := 0.40 * coalesce(v_cpu, v_agent.cpu_percent, 0) + 0.35 * coalesce(v_memory, v_agent.memory_percent, 0)
    + 0.25 * least(100, 100.0 * coalesce(v_depth, cardinality(p_job_ids), 0) / v_agent.slots);

  -- A job that it held before its previous heartbeat, and does not list now, it has lost. A later one may have crossed this call.
  select array_agg(j.id), array_agg(j.token)
  into v_unlisted, v_unlisted_tokens
  from interlock.jobs as j
  where j.agent_id = p_agent_id
    and j.held is not null
    and j.status = 'running'
    and j.started_at < v_agent.last_heartbeat_at
    and not exists (select from unnest(p_job_ids, p_tokens) as u (id, token) where u.id = j.id and u.token = j.token);

  update interlock.agent_stats as a
  set lease_until = v_now + a.lease_seconds * interval '1 second',
      last_heartbeat_at = v_now,
      cpu_percent = coalesce(v_cpu, a.cpu_percent),
      memory_percent = coalesce(v_memory, a.memory_percent),
      queue_depth = coalesce(v_depth, a.queue_depth),
      load_score = v_score,
      load_level = case when v_score < 40 then 'low' when v_score < 60 then 'moderate' when v_score < 80 then 'high' else 'critical' end,
      active_jobs = (select count(*) from interlock.jobs as j where j.agent_id = p_agent_id and j.held is not null),
      unlisted_job_ids = v_unlisted,
      unlisted_tokens = v_unlisted_tokens,
      lock_missing_since = case when not interlock.holds_liveness_lock(a.incarnation) then a.lock_missing_since end
  where a.id = p_agent_id
  returning a.lease_until, a.lease_seconds, a.state into heartbeat_agent.lease_until, heartbeat_agent.lease_seconds, heartbeat_agent.state;

  select coalesce(jsonb_agg(jsonb_build_object('job_id', s.id, 'token', s.token, 'reason', s.reason,
    'detail', case when s.reason = 'stalled' then format('no sign of life for %s s', s.heartbeat_seconds) else s.cancel_reason end)), '[]')
  into stop
  from (
    select u.id, u.token,
      case
        when j.id is null or j.token <> u.token or j.held is null or j.agent_id <> p_agent_id then 'stale_token'
        when j.cancel_requested_at is not null then 'cancelled'
        when j.started_at + j.timeout_seconds * interval '1 second' < v_now then 'timeout'
        when j.heartbeat_seconds is not null
          and exists (select from interlock.job_signs as g where g.job_id = j.id and g.token = j.token and g.stalled_at is not null) then 'stalled'
      end as reason,
      j.cancel_reason, j.heartbeat_seconds
    from unnest(p_job_ids, p_tokens) as u (id, token)
    left join interlock.jobs as j on j.id = u.id
  ) as s
  where s.reason is not null;
  unknown_count := coalesce(cardinality(v_unlisted), 0);
  return next;
end
$$;

comment on function interlock.heartbeat_agent(text, text[], bigint[], jsonb) is
  'An agent says that it lives, which jobs it holds (ids and tokens), and its load ({cpu_percent, memory_percent, queue_depth}). Its lease is extended from now, for all its jobs by this one write. Returns the lease, its state (draining: claim no more), the jobs that it must stop ([{job_id, token, reason: cancelled | timeout | stalled | stale_token, detail}]), and how many jobs are its own here that it did not list: those go back. What timed out or stalled is stopped and then failed by fail_job(). Locks the agent''s row. Raises IL004: stop everything and register anew; IL008 for the agent of manual locks.';

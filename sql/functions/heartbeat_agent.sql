create function interlock.heartbeat_agent(p_agent_id text, p_job_ids text[], p_tokens bigint[], p_load jsonb default '{}')
returns table (lease_until timestamptz, lease_seconds integer, state text, stop jsonb, give_back jsonb, unknown_count integer)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_agent interlock.agent_stats;
  v_wrong text := interlock.wrong_load(p_load);
  v_cpu real;
  v_memory real;
  v_depth integer;
  v_listed integer := coalesce(cardinality(p_job_ids), 0);
  v_load record;
  v_unlisted text[];
  v_unlisted_tokens bigint[];
begin
  if v_wrong is not null then
    raise exception using errcode = 'IL005', message = v_wrong, column = split_part(v_wrong, ' ', 1),
      hint = 'The load is {cpu_percent, memory_percent: 0 to 100, queue_depth: how many jobs are in hand}; each may be left out.';
  elsif v_listed <> coalesce(cardinality(p_tokens), 0) or v_listed > 10000 or array_position(p_job_ids, null) is not null then
    raise exception using errcode = 'IL005', message = 'held must have a token for each job, and at most 10000 of them', column = 'held';
  end if;
  perform interlock.refuse_locks_agent(p_agent_id);
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  v_cpu := coalesce((p_load ->> 'cpu_percent')::real, v_agent.cpu_percent, 0);
  v_memory := coalesce((p_load ->> 'memory_percent')::real, v_agent.memory_percent, 0);
  v_depth := coalesce((p_load ->> 'queue_depth')::integer, v_listed);
  v_load := interlock.agent_load(v_cpu, v_memory, v_depth, v_listed, v_agent.slots);

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
      cpu_percent = coalesce((p_load ->> 'cpu_percent')::real, a.cpu_percent),
      memory_percent = coalesce((p_load ->> 'memory_percent')::real, a.memory_percent),
      queue_depth = coalesce((p_load ->> 'queue_depth')::integer, a.queue_depth),
      load_score = coalesce(v_load.score, 0),
      load_level = coalesce(v_load.level, 'low'),
      base_score = coalesce(v_load.base, 0),
      slots_open = coalesce(v_load.slots_open, a.slots),
      active_jobs = (select count(*) from interlock.jobs as j where j.agent_id = p_agent_id and j.held is not null),
      unlisted_job_ids = v_unlisted,
      unlisted_tokens = v_unlisted_tokens,
      lock_missing_since = case when not interlock.holds_liveness_lock(a.incarnation) then a.lock_missing_since end
  where a.id = p_agent_id
  returning a.lease_until, a.lease_seconds, a.state into heartbeat_agent.lease_until, heartbeat_agent.lease_seconds, heartbeat_agent.state;

  select
    coalesce(jsonb_agg(jsonb_build_object('job_id', s.id, 'token', s.token, 'reason', s.reason,
      'detail', case when s.reason = 'stalled' then format('no sign of life for %s s', s.heartbeat_seconds) else s.cancel_reason end))
      filter (where s.reason is not null), '[]'),
    coalesce(jsonb_agg(jsonb_build_object('job_id', s.id, 'token', s.token))
      filter (where s.reason is null and s.status = 'assigned' and v_agent.state <> 'active'), '[]')
  into stop, give_back
  from (
    select u.id, u.token, j.status,
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
  ) as s;
  unknown_count := coalesce(cardinality(v_unlisted), 0);
  return next;
end
$$;

comment on function interlock.heartbeat_agent(text, text[], bigint[], jsonb) is
  'An agent says that it lives, which jobs it holds (ids and tokens), and its load ({cpu_percent, memory_percent, queue_depth}), from which its score, its level and the slots that it may use are reckoned by agent_policy. Its lease is extended from now, for all its jobs by this one write. Returns the lease, its state (suspended, draining: claim no more), the jobs that it must stop ([{job_id, token, reason: cancelled | timeout | stalled | stale_token, detail}]), those that it should give back by return_jobs() because it has not started them and is to start no more ([{job_id, token}]), and how many jobs are its own here that it did not list: those go back. What timed out or stalled is stopped and then failed by fail_job(). Locks the agent''s row. Raises IL004: stop everything and register anew; IL005; IL008 for the agent of manual locks.';

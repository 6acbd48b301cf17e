create function interlock.why_lost(p_agent interlock.agent_stats, p_now timestamptz) returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_agent.state = 'gone' then null
    -- The grace beyond a lost lock: a second in which an agent may take it back, and the time to kill its processes.
    when p_agent.liveness = 'connection'
      and p_agent.lock_missing_since < p_now - interval '3 seconds'
      and p_agent.server_started_at = pg_catalog.pg_postmaster_start_time()
      and not interlock.holds_liveness_lock(p_agent.incarnation) then 'its connection was lost'
    when p_agent.end_reason = 'superseded' and p_agent.lease_until < p_now - interval '3 seconds' then 'superseded by a new incarnation'
    when p_agent.end_reason is null and p_agent.lease_until < p_now then 'its lease ended'
  end
$$;

comment on function interlock.why_lost(interlock.agent_stats, timestamptz) is
  'Why an agent is to be given up, or null: a lock that is held at this moment is not missing, whatever was noted. That it is missing counts only while the server has run without a break since it registered: after a restart or a failover everybody''s lock is gone, and the lease decides.';

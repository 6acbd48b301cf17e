create function interlock.change_agent_state(p_agent_id text, p_from text[], p_to text, p_event text, p_actor text, p_reason text)
returns table (state text, active_jobs integer)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_agent interlock.agent_stats;
begin
  perform interlock.refuse_locks_agent(p_agent_id);
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  if v_agent.state = any (p_from) then
    update interlock.agent_stats as a
    set state = p_to,
        suspended_at = case p_to when 'suspended' then v_now when 'active' then null else a.suspended_at end
    where a.id = p_agent_id;
    insert into interlock.job_queue_log (created_at, event_type, agent_id, actor, conflict_reason)
    values (v_now, p_event, p_agent_id, p_actor, pg_catalog.left(p_reason, 4096));
    if p_to = 'active' then
      perform interlock.ring(v_agent.routes);
    end if;
    perform pg_catalog.pg_notify('interlock_agent', p_agent_id);
    v_agent.state := p_to;
  end if;
  state := v_agent.state;
  active_jobs := v_agent.active_jobs;
  return next;
end
$$;

comment on function interlock.change_agent_state(text, text[], text, text, text, text) is
  'Brings an agent that is in one of these states into another, logs and tells it; in any other it stays as it is. Returns its state by then and how many jobs it holds. Locks its row. Raises IL004, IL008 for the agent of manual locks. A part of suspend_agent(), resume_agent() and drain_agent().';

create function interlock.resume_agent(p_agent_id text, p_actor text default null, p_reason text default null)
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
  if v_agent.state = 'suspended' then
    update interlock.agent_stats as a
    set state = 'active',
        suspended_at = null
    where a.id = p_agent_id;
    insert into interlock.job_queue_log (created_at, event_type, agent_id, actor, conflict_reason)
    values (v_now, 'agent_resumed', p_agent_id, p_actor, pg_catalog.left(p_reason, 4096));
    perform interlock.ring(v_agent.routes);
    perform pg_catalog.pg_notify('interlock_agent', p_agent_id);
    v_agent.state := 'active';
  end if;
  state := v_agent.state;
  active_jobs := v_agent.active_jobs;
  return next;
end
$$;

comment on function interlock.resume_agent(text, text, text) is
  'Lets an agent that was suspended claim again, and rings its routes. Returns its state (draining: it stays so) and how many jobs it holds. Locks its row. Raises IL004, IL008 for the agent of manual locks.';

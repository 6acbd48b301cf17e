create function interlock.resume_agent(p_agent_id text, p_actor text default null, p_reason text default null)
returns table (state text, active_jobs integer)
language sql
set search_path = ''
as $$
  select c.state, c.active_jobs
  from interlock.change_agent_state(p_agent_id, '{suspended}', 'active', 'agent_resumed', p_actor, p_reason) as c
$$;

comment on function interlock.resume_agent(text, text, text) is
  'Lets an agent that was suspended claim again, and rings its routes. Returns its state (draining: it stays so) and how many jobs it holds. Locks its row. Raises IL004, IL008 for the agent of manual locks.';

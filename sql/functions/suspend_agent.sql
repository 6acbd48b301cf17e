create function interlock.suspend_agent(p_agent_id text, p_actor text default null, p_reason text default null)
returns table (state text, active_jobs integer)
language sql
set search_path = ''
as $$
  select c.state, c.active_jobs
  from interlock.change_agent_state(p_agent_id, '{active}', 'suspended', 'agent_suspended', p_actor, p_reason) as c
$$;

comment on function interlock.suspend_agent(text, text, text) is
  'Lets an agent finish what it holds and claim no more until resume_agent(); its next incarnations are suspended, too. Returns its state (draining: it claims no more in any case, and stays so) and how many jobs it still holds. Locks its row. Raises IL004, IL008 for the agent of manual locks.';

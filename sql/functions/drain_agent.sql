create function interlock.drain_agent(p_agent_id text, p_actor text default null, p_reason text default null)
returns table (state text, active_jobs integer)
language sql
set search_path = ''
as $$
  select c.state, c.active_jobs
  from interlock.change_agent_state(p_agent_id, '{active,suspended}', 'draining', 'agent_draining', p_actor, p_reason) as c
$$;

comment on function interlock.drain_agent(text, text, text) is
  'Lets an agent finish what it holds and claim no more. Returns its state and how many jobs it still holds. Locks its row. Raises IL004, IL008 for the agent of manual locks.';

create function interlock.sweep_agent(p_agent_id text)
returns table (jobs_returned integer, reason text)
language plpgsql
set search_path = ''
as $$
begin
  return query
  select g.jobs_moved, g.reason
  from interlock.give_agent_up(p_agent_id, null, 'lost', interlock.clock()) as g;
end
$$;

comment on function interlock.sweep_agent(text) is
  'Gives up an agent that is lost: its lease has run out, or its liveness lock has been gone beyond the grace. Asks again under the locks; an agent that came back meanwhile stays. Its jobs wait again, the attempt counted: at once after a first attempt, after their wait for a retry later; or they fail for good when it was their last. Returns how many jobs moved, and why (null: it lives). Locks: as give_agent_up(). Must be the first of its transaction (IL010).';

create function interlock.listen_agent(p_agent_id text, p_seconds double precision)
returns table (state text, room integer)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_agent interlock.agent_stats;
begin
  if p_seconds is null or not (p_seconds between 0 and 3600) then
    raise exception using errcode = 'IL005', message = 'seconds must be 0 to 3600', column = 'seconds';
  end if;
  perform interlock.refuse_locks_agent(p_agent_id);
  v_agent := interlock.lock_agent(p_agent_id, v_now);
  -- It tells all the time where it is not told by calls that wait: that stays.
  update interlock.agent_stats as a
  set listens_until = v_now + p_seconds * interval '1 second'
  where a.id = p_agent_id
    and a.listens_until is not null;
  state := v_agent.state;
  room := case when v_agent.state = 'active' then greatest(v_agent.slots_open - v_agent.active_jobs, 0) else 0 end;
  return next;
end
$$;

comment on function interlock.listen_agent(text, double precision) is
  'An agent that was registered with p_polls asks for work by a call that waits so long: only meanwhile the dispatcher gives it any. Returns its state and for how many more jobs it has room. Locks its row. Raises IL004, IL005, IL008 for the agent of manual locks.';

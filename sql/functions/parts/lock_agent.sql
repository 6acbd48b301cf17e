create function interlock.lock_agent(p_agent_id text, p_now timestamptz) returns interlock.agent_stats
language plpgsql
set search_path = ''
as $$
declare
  v_agent interlock.agent_stats;
begin
  select a.*
  into v_agent
  from interlock.agent_stats as a
  where a.id >= p_agent_id
    and a.id <= p_agent_id
  order by a.id, a.era desc
  limit 1
  for no key update;
  if not found or v_agent.state = 'gone' or v_agent.lease_until <= p_now then
    raise exception using
      errcode = 'IL004',
      message = pg_catalog.format('agent %s is not active: %s', p_agent_id, case
        when v_agent.id is null then 'never registered'
        when v_agent.state = 'gone' then coalesce(v_agent.end_reason, 'gone')
        else 'its lease ended at ' || v_agent.lease_until end),
      hint = 'Stop its jobs and register a new incarnation.';
  end if;
  return v_agent;
end
$$;

comment on function interlock.lock_agent(text, timestamptz) is
  'Locks an agent''s row and returns it. Raises IL004 agent_not_active where it is unknown, gone or past its lease.';

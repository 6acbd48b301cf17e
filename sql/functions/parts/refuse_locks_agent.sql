create function interlock.refuse_locks_agent(p_agent_id text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_agent_id = interlock.locks_agent() then
    raise exception using
      errcode = 'IL008',
      message = pg_catalog.format('agent %s is no process: manual locks are held in its name', p_agent_id),
      column = 'agent_id',
      hint = 'A lock ends by release_lock(), release_resource() or sweep_locks().';
  end if;
end
$$;

comment on function interlock.refuse_locks_agent(text) is
  'How the verbs by which a process lives and dies begin: none of them is for the agent in whose name manual locks are held (IL008 not_permitted).';

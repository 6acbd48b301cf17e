create function interlock.end_agent(p_agent_id text, p_reason text default 'stopped')
returns table (jobs_returned integer)
language plpgsql
set search_path = ''
as $$
begin
  if length(p_reason) > 4096 then
    raise exception using errcode = 'IL005', message = 'reason may have at most 4096 characters', column = 'reason';
  end if;
  return query
  select g.jobs_moved from interlock.give_agent_up(p_agent_id, p_reason, 'returned', null) as g;
end
$$;

comment on function interlock.end_agent(text, text) is
  'An agent that stops in order says good-bye: nothing of it runs any more. What it still holds goes back, the attempt not counted. Returns how many jobs went back. Locks: as give_agent_up(). Must be the first of its transaction (IL010).';

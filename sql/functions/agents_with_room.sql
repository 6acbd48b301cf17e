create function interlock.agents_with_room(p_route text)
returns table (agent_id text, room integer)
language sql stable
set search_path = ''
as $$
  select a.id, a.slots - a.active_jobs
  from interlock.agent_stats as a
  where a.state = 'active'
    and a.active_jobs < a.slots
    and a.load_score <= 80
    and a.lease_until > interlock.clock()
    and p_route = any (a.routes)
  order by a.load_score, a.active_jobs::double precision / a.slots, a.id
$$;

comment on function interlock.agents_with_room(text) is
  'The live agents of a route that have room, the least loaded first: for whom a dispatch claims. Locks nothing.';

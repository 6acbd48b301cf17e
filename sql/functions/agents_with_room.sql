create function interlock.agents_with_room(p_route text)
returns table (agent_id text, room integer, score double precision, score_per_job double precision)
language sql stable
set search_path = ''
as $$
  select r.id, r.room, r.score, r.step
  from (
    select a.id, a.slots_open - a.active_jobs as room, s.step,
      -- Not as of its last heartbeat alone: what it was given since then counts.
      a.base_score + s.step * a.active_jobs as score
    from interlock.agent_stats as a
    cross join lateral (
      select coalesce(100 * p.queue_weight / (p.cpu_weight + p.memory_weight + p.queue_weight) / a.slots, 0) as step
      from (select) as one
      left join interlock.agent_policy as p on true
    ) as s
    where a.state = 'active'
      and a.active_jobs < a.slots_open
      and a.lease_until > interlock.clock()
      and (a.listens_until is null or a.listens_until > interlock.clock())
      and p_route = any (a.routes)
  ) as r
  order by r.score, r.room desc, r.id
$$;

comment on function interlock.agents_with_room(text) is
  'The live agents of a route that may be given jobs, the least loaded first: for whom a dispatch claims. None above max_utilisation. Returns for how many jobs each has room before it is above, its score by now, and how much one more job adds to it. Locks nothing.';

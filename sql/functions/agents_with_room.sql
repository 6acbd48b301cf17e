create function interlock.agents_with_room(p_route text)
returns table (agent_id text, room integer, score double precision, score_per_job double precision)
language sql stable
set search_path = ''
as $$
  select r.id, r.room, r.base_score + r.step * r.active_jobs + (r.cost - r.step) * r.since, r.cost
  from (
    select a.id, a.slots_open - a.active_jobs as room, a.base_score, a.active_jobs, s.step,
      -- What a job has cost it so far, all that it is loaded with shared out among its jobs: rather too much than too little,
      -- for until the next heartbeat nobody knows what the jobs that it is given now do to it.
      greatest(s.step, a.load_score / greatest(coalesce(a.queue_depth, a.active_jobs), 1)) as cost,
      greatest(a.active_jobs - coalesce(a.queue_depth, a.active_jobs), 0) as since
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
  order by 3, r.room desc, r.id
$$;

comment on function interlock.agents_with_room(text) is
  'The live agents of a route that may be given jobs, the least loaded first: for whom a dispatch claims. None above max_utilisation. Returns for how many jobs each has room before it is above, its score by now (as of its last heartbeat, and what it was given since), and how much one more job is expected to add to it. Locks nothing.';

create function interlock.is_anything_left(p_agent_id text) returns boolean
language sql stable
set search_path = ''
as $$
  select coalesce((
    select interlock.any_awake(r.routes)
      or exists (
        select
        from interlock.jobs as j
        where j.agent_id = a.id
          and j.held is not null
      )
      or exists (
        select
        from interlock.job_lane_touches as t
      )
    from interlock.agent_stats as a
    cross join lateral (
      select array(
        select u.route
        from pg_catalog.unnest(a.routes) as u (route)
        join interlock.queues as q on q.name = pg_catalog.split_part(u.route, '/', 1)
        where not q.is_paused
      ) as routes
    ) as r
    where a.id = p_agent_id
  ), false)
$$;

comment on function interlock.is_anything_left(text) is
  'Whether an agent still holds a job, a job of its routes waits for nothing but an agent, or something has changed that nobody has absorbed yet: what an agent asks that is to end when nothing is left. What waits for its time, for what others hold, or in a paused queue does not count. Locks nothing.';

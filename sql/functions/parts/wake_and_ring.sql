create function interlock.wake_and_ring(p_freed text[], p_agent_ids text[] default '{}') returns void
language plpgsql
set search_path = ''
as $$
declare
  v_resources text[];
  v_times integer[];
  v_routes text[];
begin
  select pg_catalog.array_agg(f.resource), pg_catalog.array_agg(f.times)
  into v_resources, v_times
  from (
    select u.resource, pg_catalog.count(*)::integer as times
    from pg_catalog.unnest(p_freed) as u (resource)
    group by u.resource
  ) as f;
  if v_resources is null then
    return;
  end if;
  v_routes := interlock.wake_resources(v_resources, v_times);
  if v_routes = '{}' then
    return;
  end if;
  -- Whoever finishes a job claims the next one itself: a bell is for the lanes beyond that, and for routes it does not serve.
  perform interlock.ring(array(
    select w.route
    from pg_catalog.unnest(v_routes) as w (route)
    group by w.route
    having pg_catalog.count(*) > (
      select coalesce(pg_catalog.sum(g.jobs), 0)
      from (
        select u.id, pg_catalog.count(*) as jobs
        from pg_catalog.unnest(p_agent_ids) as u (id)
        group by u.id
      ) as g
      cross join lateral (
        select x.state, x.routes
        from interlock.agent_stats as x
        where x.id >= g.id
          and x.id <= g.id
        order by x.id, x.era desc
        limit 1
      ) as a
      where a.state = 'active'
        and w.route = any (a.routes)
    )
  ));
end
$$;

comment on function interlock.wake_and_ring(text[], text[]) is
  'Wakes each resource once for each time that it is listed, and rings the routes of what was made awake, but for as many lanes as the agents listed (one entry a finished job) will come back for themselves. Called at the end of every verb that frees, under the resources'' locks.';

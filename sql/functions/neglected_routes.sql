create function interlock.neglected_routes() returns text[]
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select array(
    select distinct r.route
    from interlock.agent_stats as a
    cross join lateral pg_catalog.unnest(a.routes) as r (route)
    where a.state = 'active'
      and a.active_jobs < a.slots_open
      and a.lease_until > interlock.clock()
      and (a.listens_until is null or a.listens_until > interlock.clock())
      and interlock.any_awake(array[r.route])
      and not exists (
        select
        from interlock.queues as q
        where q.name = pg_catalog.split_part(r.route, '/', 1)
          and q.is_paused
      )
    order by 1
  )
$$;

comment on function interlock.neglected_routes() is
  'Routes with an awake lane and an agent that has room: what the tick dispatches, as the backstop of every doorbell. Locks nothing.';

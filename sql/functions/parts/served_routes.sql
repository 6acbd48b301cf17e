create function interlock.served_routes(p_now timestamptz) returns text[]
language sql stable
set search_path = ''
as $$
  select coalesce(pg_catalog.array_agg(distinct r.route), '{}')
  from interlock.agent_stats as a
  cross join lateral pg_catalog.unnest(a.routes) as r (route)
  where ((a.state = 'active' and a.lease_until > p_now) or a.ended_at > p_now - interval '5 seconds')
    and not exists (
      select
      from interlock.queues as q
      where q.name = pg_catalog.split_part(r.route, '/', 1)
        and q.is_paused
    )
$$;

comment on function interlock.served_routes(timestamptz) is
  'The routes that have a live agent (or had one seconds ago: a restart is not an absence) and whose queue is not paused. Only their lanes stand in line before others.';

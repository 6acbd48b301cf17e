create view interlock.unserved_routes as
select
  r.route,
  q.name as queue,
  l.level as permission_level,
  exists (
    select
    from interlock.agent_stats as a
    where a.state = 'suspended'
      and a.lease_until > interlock.clock()
      and r.route = any (a.routes)
  ) as is_suspended_only
from interlock.queues as q
cross join pg_catalog.unnest(array['autonomous', 'supervised', 'human_required']) as l (level)
cross join lateral (select q.name || '/' || l.level as route) as r
where not q.is_paused
  and q.name <> 'locks'
  and interlock.any_awake(array[r.route])
  and not exists (
    select
    from interlock.agent_stats as a
    where a.state = 'active'
      and a.lease_until > interlock.clock()
      and r.route = any (a.routes)
  );

comment on view interlock.unserved_routes is
  'One row is a queue with a permission level in which jobs wait for nothing but an agent, and no live agent takes them: none serves the queue, or none of those is allowed the level. is_suspended_only: one would, were it not suspended.';

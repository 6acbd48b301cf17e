create view interlock.locks as
select
  h.resource,
  h.slot,
  'held' as state,
  case when j.queue = 'locks' then 'lock' else 'job' end as kind,
  j.id as job_id,
  j.user_name as owner,
  j.task,
  j.agent_id,
  j.assigned_at as since,
  coalesce(j.lease_until, a.lease_until) as lease_until,
  s.fence,
  m.capacity,
  j.cancel_requested_at
from interlock.jobs as j
cross join lateral unnest(j.held, j.held_slots) as h (resource, slot)
join interlock.job_queue_state as s
  on s.resource = h.resource
  and s.slot = h.slot
left join interlock.agent_stats as a
  on a.id = j.agent_id
cross join lateral interlock.limit_of(h.resource) as m
where j.held is not null
  and (j.queue <> 'locks' or h.resource <> interlock.own_resource(j.id))

union all
-- From the few lanes that reserve, through what they need: a slot has no index of its own by who reserved it.
select
  s.resource,
  s.slot,
  'reserved',
  case when l.route = 'locks/autonomous' then 'lock' else 'job' end,
  w.id,
  w.user_name,
  l.task,
  null,
  null,
  null,
  null,
  m.capacity,
  null
from (
  select o.id, o.route, o.task, o.resources
  from interlock.job_lanes as o
  where o.reserving and o.blocked_on is not null
  union all
  select o.id, o.route, o.task, o.resources
  from interlock.job_lanes as o
  where o.reserving and o.blocked_on is null
) as l
cross join lateral interlock.lane_demand(l.route, l.task, l.resources) as d
join interlock.job_queue_state as s
  on s.resource = d.resource
  and s.reserved_lane_id = l.id
left join lateral (
  select j.id, j.user_name
  from interlock.jobs as j
  where j.lane_id = l.id and j.status = 'pending'
  order by j.seniority, j.id
  limit 1
) as w on true
cross join lateral interlock.limit_of(s.resource) as m
where s.resource not like 'lock:%';

comment on view interlock.locks is
  'Who holds what: one row is a slot of a resource that a running job or a manual lock (kind) holds, with the fence under which it does, or that is reserved for one that waits and is next in line. lease_until is until when its holder is believed to be there: a lock''s own lease, a job''s agent''s. Reads what is held, not what there is.';

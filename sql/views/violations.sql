create view interlock.violations as
-- G1: more holders than capacity. After a limit was lowered or taken away what ran goes on, so only a grant since then counts.
select 'more holders than capacity' as violation, s.resource, null::text as job_id, null::uuid as lane_id,
  format('%s held or reserved, capacity %s', s.used, m.capacity) as detail
from (
  select q.resource, count(*) as used, max(q.started_at) as granted_at
  from interlock.job_queue_state as q
  where interlock.is_taken(q.active_job_id, q.reserved_lane_id, q.taken_until, interlock.clock())
  group by q.resource
) as s
cross join lateral interlock.limit_of(s.resource) as m
where s.used > m.capacity
  and s.granted_at > coalesce((
    select max(e.created_at)
    from interlock.job_queue_log as e
    where e.event_type in ('limit_set', 'limit_removed')
      and (e.details ->> 'pattern' = regexp_replace(s.resource, '^rate:', '')
        or (e.details ->> 'pattern' like '%*' and starts_with(regexp_replace(s.resource, '^rate:', ''), left(e.details ->> 'pattern', -1))))
  ), '-infinity')

union all
select 'a slot is held by a job that does not hold it', s.resource, s.active_job_id, null, format('slot %s, job is %s', s.slot, coalesce(j.status, 'gone'))
from interlock.job_queue_state as s
left join interlock.jobs as j on j.id = s.active_job_id
where s.active_job_id is not null
  and not exists (
    select
    from unnest(j.held, j.held_slots) as h (resource, slot)
    where h.resource = s.resource
      and h.slot = s.slot
  )

union all
select 'a job runs without a slot of what it was given', h.resource, j.id, null, format('slot %s', h.slot)
from interlock.jobs as j
cross join lateral unnest(j.held, j.held_slots) as h (resource, slot)
where j.held is not null
  and not exists (
    select
    from interlock.job_queue_state as s
    where s.resource = h.resource
      and s.slot = h.slot
      and s.active_job_id = j.id
      -- What it gave back for the time of a question it holds under a later fence than its token.
      and (s.fence = j.token or s.fence in (select m.resume_fence from interlock.job_messages as m where m.job_id = j.id and m.token = j.token))
  )

union all
select 'a job runs without what it needs', d.resource, j.id, null, 'it is limited, and not held'
from interlock.jobs as j
cross join lateral interlock.lane_demand(j.queue || '/' || j.permission_level, j.task, j.resources) as d
where j.held is not null
  and d.capacity is not null
  and d.resource <> all (j.held)
  and d.resource not like 'rate:%'
  and not interlock.is_given_back(j.id, j.token, d.resource)

union all
-- A wake makes the most senior lane of a route awake, once for each slot; until that one has been examined, and has taken
-- the resource or passed the wake on, the others may well be parked on something free. (A start rate comes free by the
-- passing of time, and the tick wakes it.)
select 'a lane is parked on a resource that it can use', interlock.obstacle_of(l.blocked_on), null, l.id, format('rank %s', l.rank)
from interlock.job_lanes as l
where l.blocked_on is not null
  and l.blocked_on not like 'rate:%'
  and interlock.can_use(interlock.obstacle_of(l.blocked_on), l.id, l.rank)
  and not exists (
    select
    from interlock.job_lanes as o
    where o.rank is not null
      and o.blocked_on is null
      and (o.route = l.route or o.reserving)
      and interlock.lane_needs(o.route, o.task, o.resources, interlock.obstacle_of(l.blocked_on))
  )

union all
select 'a lane stands behind a sibling that is not there', interlock.obstacle_of(l.blocked_on), null, l.id, null
from interlock.job_lanes as l
where strpos(l.blocked_on, E'\x1f') > 0
  and not exists (
    select
    from interlock.job_lanes as o
    where o.route = l.route
      and o.resources[1] = l.resources[1]
      and (o.blocked_on = interlock.obstacle_of(l.blocked_on)
        or (o.rank is not null and o.blocked_on is null and interlock.lane_needs(o.route, o.task, o.resources, interlock.obstacle_of(l.blocked_on))))
  )

union all
select 'a lane has pending jobs, no rank and no touch', null, p.id, p.lane_id, null
from (
  select distinct on (j.lane_id) j.id, j.lane_id
  from interlock.jobs as j
  where j.status = 'pending'
) as p
left join interlock.job_lanes as l on l.id = p.lane_id
where l.rank is null
  and not exists (select from interlock.job_lane_touches as t where t.lane_id = p.lane_id)

union all
select 'an awake lane is below the floor', null, null, l.id, format('rank %s, made awake by %s; floor %s, below %s', l.rank, l.awake_by, f.rank, f.below)
from interlock.job_lanes as l
join interlock.lane_floors as f on f.route = l.route and f.server_started_at = pg_postmaster_start_time()
where l.rank < f.rank
  and l.blocked_on is null
  and l.awake_by < f.below
  and l.awake_by <> all (f.but)

union all
select 'a touch is below the floor', null, null, t.lane_id, format('of transaction %s, floor %s', t.inserted_by, f.below)
from interlock.job_lane_touches as t
join interlock.touch_floor as f on t.inserted_by < f.below and f.server_started_at = pg_postmaster_start_time()
where t.inserted_by <> all (f.but)

union all
select 'a reservation of a lane that does not reserve', s.resource, null, s.reserved_lane_id, format('slot %s', s.slot)
from interlock.job_queue_state as s
left join interlock.job_lanes as l on l.id = s.reserved_lane_id
where s.reserved_lane_id is not null
  and l.reserving is not true

union all
select 'the reservations of a parked lane are not a prefix of what it needs', d.resource, null, l.id, format('parked on %s', l.blocked_on)
from interlock.job_lanes as l
cross join lateral interlock.lane_demand(l.route, l.task, l.resources) as d
where l.reserving
  and l.blocked_on is not null
  and not exists (select from interlock.job_lane_touches as t where t.lane_id = l.id)
  and d.capacity is not null
  and ((interlock.resource_order(d.resource), d.resource collate "C") < (interlock.resource_order(l.blocked_on), l.blocked_on))
    <> exists (select from interlock.job_queue_state as s where s.resource = d.resource and s.reserved_lane_id = l.id)

union all
select 'a token fell', null, j.id, null, format('token %s, drawn %s', j.token, g.last_value)
from interlock.jobs as j
cross join interlock.grant_numbers as g
where j.token > g.last_value

union all
select 'a fence fell', s.resource, s.active_job_id, null, format('fence %s, drawn %s', s.fence, g.last_value)
from interlock.job_queue_state as s
cross join interlock.grant_numbers as g
where s.fence > g.last_value

union all
select 'a job and its lane name different resources', null, j.id, j.lane_id, null
from interlock.jobs as j
join interlock.job_lanes as l on l.id = j.lane_id
where j.status = 'pending'
  and (j.resources <> l.resources or j.queue || '/' || j.permission_level <> l.route or j.task <> l.task)

union all
select 'a job is not in its lane', null, j.id, j.lane_id, null
from interlock.jobs as j
where j.status = 'pending'
  and j.lane_id <> interlock.lane_id(j.queue || '/' || j.permission_level, j.task, j.resources)

union all
select 'a job is held by an agent that is gone', null, j.id, null, j.agent_id
from interlock.jobs as j
left join interlock.agent_stats as a on a.id = j.agent_id
where j.held is not null
  and (a.id is null or a.state = 'gone')

union all
select 'an agent''s count of jobs is wrong', null, null, null, format('agent %s: %s counted, %s held', a.id, a.active_jobs, c.held)
from interlock.agent_stats as a
cross join lateral (select count(*) as held from interlock.jobs as j where j.agent_id = a.id and j.held is not null) as c
where a.active_jobs <> c.held

union all
select 'a deferred job waits for nothing', null, j.id, null, null
from interlock.jobs as j
where j.status = 'deferred'
  and not exists (select from interlock.job_dependencies as d where d.job_id = j.id and d.parent_outcome is null)

union all
select 'a job waits for one that does not know of it, or has ended', null, d.job_id, null, format('job %s is %s', d.parent_id, coalesce(j.status, 'gone'))
from interlock.job_dependencies as d
left join interlock.jobs as j on j.id = d.parent_id
where d.parent_outcome is null
  and (j.has_children is not true or (j.status = 'failed' and d.needs = 'any'))
  and exists (select from interlock.jobs as c where c.id = d.job_id)
  and not exists (select from interlock.job_dependency_touches as t where t.parent_id = d.parent_id);

comment on view interlock.violations is
  'The auditor: whatever is here should never be. Empty in a healthy database, also in the middle of its work. Reads everything: for the doctor and the tests, not for a dashboard.';

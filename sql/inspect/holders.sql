-- Who holds a resource, for whom it is reserved, who waits for it (-v resource=user:alice)

\if :{?resource}
  \set asked_resource :resource
\else
  \prompt 'Which resource (user:alice, model:flux-dev, ...)? ' asked_resource
\endif

select
  :'asked_resource' as resource,
  coalesce(m.capacity::text, 'unlimited') as capacity,
  m.is_paused,
  (
    select count(*)
    from (select from interlock.job_lanes as l where l.blocked_on >= :'asked_resource' and l.blocked_on < :'asked_resource' || ' ' limit 1000) as l
  ) as lines_parked_on_it,
  case
    when m.capacity is null and not m.is_paused then 'unlimited: it keeps nobody apart'
    when m.capacity > 0 and not m.is_paused and u.used = 0 then 'free'
    else c.reason
  end as state
from interlock.limit_of(:'asked_resource') as m
cross join interlock.conflict_reason(:'asked_resource') as c
cross join (
  select count(*) as used
  from interlock.job_queue_state as s
  where s.resource = :'asked_resource'
    and (s.active_job_id is not null or s.reserved_lane_id is not null)
) as u;

\echo 'Its slots'
select
  s.slot,
  case when s.active_job_id is not null then 'held' when s.reserved_lane_id is not null then 'reserved' else 'free' end as state,
  coalesce(s.active_job_id, h.id) as job_id,
  coalesce(j.user_name, h.user_name) as user_name,
  coalesce(j.task, h.task) as task,
  j.agent_id,
  s.active_models,
  s.fence,
  case when s.active_job_id is not null then s.started_at end as since
from interlock.job_queue_state as s
left join interlock.jobs as j on j.id = s.active_job_id
left join lateral (
  select x.id, x.user_name, x.task
  from interlock.jobs as x
  where x.lane_id = s.reserved_lane_id
    and x.status = 'pending'
  order by x.seniority, x.id
  limit 1
) as h on s.reserved_lane_id is not null
where s.resource = :'asked_resource'
order by s.slot
limit 100;

\echo 'First in line for it (one of each line: jobs that need exactly the same)'
select h.id as job_id, h.user_name, h.task, l.route, l.rank, l.reserving, h.queued_at
from (
  select x.id, x.route, x.rank, x.reserving
  from interlock.job_lanes as x
  where x.blocked_on = :'asked_resource'
  order by x.rank, x.id
  limit 20
) as l
cross join lateral (
  select j.id, j.user_name, j.task, j.queued_at
  from interlock.jobs as j
  where j.lane_id = l.id
    and j.status = 'pending'
  order by j.seniority, j.id
  limit 1
) as h
order by l.rank, l.id;

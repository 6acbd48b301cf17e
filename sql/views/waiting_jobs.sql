create view interlock.waiting_jobs as
select
  j.id as job_id,
  j.kind as job_type,
  j.task,
  j.user_name,
  j.project,
  j.queue,
  j.permission_level,
  j.priority,
  array(select substr(r.resource, 7) from unnest(j.resources) as r (resource) where r.resource like 'model:%') as models,
  j.resources,
  o.resource as blocked_on,
  c.holder_id as blocked_by_job_id,
  case when q.is_paused then 'Queue ' || q.name || ' is paused' else c.reason end as conflict_reason,
  j.queued_at,
  j.seniority,
  l.rank as lane_rank,
  coalesce(l.reserving, false) as is_reserving,
  j.attempt,
  j.lane_id
from interlock.jobs as j
join interlock.queues as q
  on q.name = j.queue
left join interlock.job_lanes as l
  on l.id = j.lane_id
left join lateral (
  -- A parked lane says what it waits for. An awake one, or one still in the inbox, was not examined yet, perhaps because
  -- every agent is full: whoever asks wants to know all the same, so the same question is put here.
  select interlock.obstacle_of(l.blocked_on) as resource
  where l.blocked_on is not null
  union all
  select interlock.first_obstacle(j.queue || '/' || j.permission_level, j.task, j.resources, j.lane_id, coalesce(l.rank, j.seniority))
  where l.blocked_on is null
) as o on true
left join lateral interlock.conflict_reason(o.resource) as c
  on o.resource is not null
where j.status = 'pending';

comment on view interlock.waiting_jobs is
  'The jobs that could start if what they need were free: what each is blocked on, by whom and why; null: nothing stands in its way but the lack of an agent. Meant for some jobs at a time (where job_id = ..., or limit): the reason is looked up for each row. Order by greatest(lane_rank, seniority) for about the order of starting.';

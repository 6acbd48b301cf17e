create view interlock.active_jobs as
select
  j.id as job_id,
  j.status,
  j.kind as job_type,
  j.task,
  j.user_name,
  j.project,
  j.queue,
  j.priority,
  array(select substr(r.resource, 7) from unnest(j.resources) as r (resource) where r.resource like 'model:%') as models,
  j.held as resources,
  j.agent_id,
  j.token,
  j.attempt,
  j.max_attempts,
  j.progress,
  j.progress_description,
  j.queued_at,
  j.assigned_at,
  j.started_at,
  coalesce(j.lease_until, coalesce(j.started_at, j.assigned_at) + j.timeout_seconds * interval '1 second') as must_end_at,
  j.cancel_requested_at,
  j.cancel_reason
from interlock.jobs as j
where j.held is not null;

comment on view interlock.active_jobs is
  'Who holds what now: one row is a job that an agent has (assigned, or running), with the resources that it was given. must_end_at is when its timeout ends it (of a manual lock: its lease), and with it the longest that its resources are held.';

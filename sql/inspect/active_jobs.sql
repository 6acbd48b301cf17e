-- What runs now: what each job holds, on which agent, and when its timeout ends it

select
  a.job_id,
  a.status,
  a.job_type,
  a.task,
  a.user_name,
  a.models,
  a.resources as holds,
  a.agent_id,
  a.attempt || ' of ' || a.max_attempts as attempt,
  round(a.progress::numeric) as progress,
  interlock.duration_words(interlock.clock() - a.assigned_at) as held_for,
  a.must_end_at,
  case when a.cancel_requested_at is not null then 'asked to stop' || coalesce(': ' || a.cancel_reason, '') end as cancelling
from interlock.active_jobs as a
order by a.assigned_at, a.job_id
limit 500;

-- Configured capacities and pauses, with what is in use; the policy of the queues

select
  l.pattern,
  case when l.is_pause_only then 'as before' else coalesce(l.capacity::text, 'unlimited') end as capacity,
  l.starts_per_minute,
  l.is_paused,
  u.used as slots_used,
  l.updated_at
from interlock.resource_limits as l
cross join lateral (
  select count(*) as used
  from (
    select
    from interlock.job_queue_state as s
    where s.resource = l.pattern
      and s.active_job_id is not null
    limit 100000
  ) as x
) as u
order by l.pattern
limit 200;

select q.name as queue, q.is_paused, q.scheduling, q.priority_step_seconds, q.patience_seconds, q.timeout_seconds, q.ttl_seconds,
  q.max_attempts, q.retry_delays_seconds, q.retries_per_minute, q.tasks
from interlock.queues as q
order by q.name
limit 200;

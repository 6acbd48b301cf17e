-- Of the last hour, by queue and by model (of the latest 20,000 jobs that ended)

-- Read once: a volatile clock in a condition would keep the index from being used.
select interlock.clock() as now
\gset

\echo 'By queue'
select
  h.queue,
  count(*) as jobs,
  round(avg(h.waited)::numeric, 3) as avg_queue_seconds,
  round(percentile_cont(0.95) within group (order by h.waited)::numeric, 3) as p95_queue_seconds,
  round(max(h.waited)::numeric, 3) as max_queue_seconds,
  round(avg(h.ran)::numeric, 3) as avg_run_seconds
from (
  select t.queue, extract(epoch from t.assigned_at - t.queued_at) as waited, extract(epoch from t.finished_at - t.started_at) as ran
  from interlock.task_history as t
  where t.finished_at > :'now'::timestamptz - interval '1 hour'
    and t.assigned_at is not null
    -- Of a job that was retried, its last assignment says nothing of its wait.
    and t.attempts = 1
  order by t.finished_at desc
  limit 20000
) as h
group by h.queue
order by h.queue;

\echo 'By model'
select
  substr(r.resource, 7) as model,
  count(*) as jobs,
  round(avg(h.waited)::numeric, 3) as avg_queue_seconds,
  round(avg(h.ran)::numeric, 3) as avg_run_seconds
from (
  select t.resources, extract(epoch from t.assigned_at - t.queued_at) as waited, extract(epoch from t.finished_at - t.started_at) as ran
  from interlock.task_history as t
  where t.finished_at > :'now'::timestamptz - interval '1 hour'
    and t.assigned_at is not null
    and t.attempts = 1
  order by t.finished_at desc
  limit 20000
) as h
cross join lateral unnest(h.resources) as r (resource)
where r.resource like 'model:%'
group by 1
order by 2 desc, 1
limit 20;

-- Throughput, waits, durations and failures of a range, by -v by=task, user, model, agent, queue, project, hour or day (-v since='1 day')

\if :{?by}
\else
  \set by task
\endif
\if :{?since}
\else
  \set since '1 day'
\endif

select
  s.key as :"by",
  s.ended,
  s.completed,
  s.failed,
  s.cancelled + s.expired + s.deleted as given_up,
  round(s.completed_per_hour::numeric, 1) as completed_per_hour,
  round(s.avg_wait_seconds::numeric, 3) as avg_wait_seconds,
  round(s.p95_wait_seconds::numeric, 3) as p95_wait_seconds,
  round(s.avg_run_seconds::numeric, 3) as avg_run_seconds,
  round(s.p95_run_seconds::numeric, 3) as p95_run_seconds
from interlock.history_summary(:'by', interlock.clock() - :'since'::interval) as s;

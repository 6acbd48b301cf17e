create view interlock.history_by_model as
select s.key as model, s.ended, s.completed, s.failed, s.cancelled, s.expired, s.deleted, s.completed_per_hour,
  s.avg_wait_seconds, s.p50_wait_seconds, s.p95_wait_seconds, s.max_wait_seconds,
  s.avg_run_seconds, s.p50_run_seconds, s.p95_run_seconds, s.max_run_seconds, s.total_run_seconds, s.avg_attempts
from interlock.history_summary('model') as s;

comment on view interlock.history_by_model is
  'What ended within the last 24 hours, by model: throughput, waits, durations and failures. For another range: history_summary().';

-- Who waits, in about the order of starting, for whom and why (the first 50)
-- Heads of lines first: it reads the lines, not the backlog, so a million jobs behind one user cost nothing here.

select
  w.job_id,
  w.job_type,
  w.user as user_name,
  w.task,
  w.models,
  w.priority,
  w.blocked_by_job_id,
  coalesce(w.conflict_reason, 'nothing in its way but the lack of an agent with room') as conflict_reason,
  w.queued_at,
  interlock.duration_words(interlock.clock() - w.queued_at) as waits
from jsonb_to_recordset(interlock.queue_snapshot(50) -> 'queued_jobs')
  as w (job_id text, job_type text, "user" text, task text, models jsonb, priority text,
    blocked_by_job_id text, conflict_reason text, queued_at timestamptz);

-- At a glance: counts, who runs, who is next, locks, agents
-- One snapshot, of bounded cost: beyond 10,000 live jobs the counts are estimates.

select interlock.queue_snapshot(20) as snapshot
\gset

\echo 'Live jobs by queue'
select
  c.queue,
  sum(c.count) filter (where c.status = 'pending') as pending,
  sum(c.count) filter (where c.status = 'assigned') as assigned,
  sum(c.count) filter (where c.status = 'running') as running,
  sum(c.count) filter (where c.status = 'scheduled') as scheduled,
  sum(c.count) filter (where c.status in ('paused', 'deferred')) as held_back,
  sum(c.count) filter (where c.status = 'failed') as dead_letters,
  case when (:'snapshot'::jsonb ->> 'is_estimated')::boolean then 'estimated' else 'counted' end as figures
from jsonb_to_recordset(:'snapshot'::jsonb -> 'counts') as c (queue text, status text, count bigint)
group by c.queue
order by c.queue;

\echo 'Pending by priority, and since when the longest waits'
select
  coalesce((s.pending ->> 'critical')::bigint, 0) as critical,
  coalesce((s.pending ->> 'high')::bigint, 0) as high,
  coalesce((s.pending ->> 'normal')::bigint, 0) as normal,
  coalesce((s.pending ->> 'low')::bigint, 0) as low,
  s.oldest_queued_at,
  interlock.duration_words(interlock.clock() - s.oldest_queued_at) as longest_wait
from jsonb_to_record(:'snapshot'::jsonb) as s (pending jsonb, oldest_queued_at timestamptz);

\echo 'Active jobs (the first 20; inspect/active_jobs.sql has all)'
select a.job_id, a.job_type, a.models, a.user as user_name, a.task, a.status, a.agent_id, a.assigned_at
from jsonb_to_recordset(:'snapshot'::jsonb -> 'active_jobs')
  as a (job_id text, job_type text, models jsonb, "user" text, task text, status text, agent_id text, assigned_at timestamptz);

\echo 'Next in line (the first 20)'
select w.job_id, w.job_type, w.user as user_name, w.task, w.priority, w.blocked_by_job_id, w.conflict_reason, w.queued_at
from jsonb_to_recordset(:'snapshot'::jsonb -> 'queued_jobs')
  as w (job_id text, job_type text, "user" text, task text, priority text, blocked_by_job_id text, conflict_reason text, queued_at timestamptz);

\echo 'Locked users (the first 20)'
select u.user as user_name, u.task_id as job_id, u.acquired_at, u.expires_at
from jsonb_to_recordset(:'snapshot'::jsonb -> 'user_lock_details')
  as u ("user" text, task_id text, acquired_at timestamptz, expires_at timestamptz);

\echo 'Agents'
select g.total, g.idle, g.busy, g.suspended, g.draining, g.overloaded, (:'snapshot'::jsonb ->> 'slots_used')::int as slots_used, g.slots, g.room
from jsonb_to_record(:'snapshot'::jsonb -> 'agents') as g (total int, idle int, busy int, suspended int, draining int, overloaded int, slots int, room int);

-- What one job is, and all that happened to it (-v job=ID)

\if :{?job}
  \set asked_job :job
\else
  \prompt 'Which job? ' asked_job
\endif

\echo 'What it is'
select j.id as job_id, j.status, j.task, j.kind, j.user_name, j.queue, j.attempt || ' of ' || j.max_attempts as attempt, j.token,
  j.agent_id, j.resources, j.progress, j.error ->> 'message' as error
from interlock.jobs as j
where j.id = :'asked_job'
union all
-- A dead letter is in both tables.
select t.job_id, t.outcome, t.task, t.kind, t.user_name, t.queue, t.attempts::text, t.token, t.agent_id, t.resources, null, t.reason
from interlock.task_history as t
where t.job_id = :'asked_job'
  and not exists (select from interlock.jobs as j where j.id = :'asked_job');

\echo 'What happened'
select e.at, e.after, e.event_type, e.from_status, e.to_status, e.token, e.agent_id, e.actor, e.conflict_reason, e.resources
from (
  select
    l.id,
    to_char(l.created_at, 'YYYY-MM-DD HH24:MI:SS.MS') as at,
    to_char(l.created_at - lag(l.created_at) over (order by l.id), 'HH24:MI:SS.MS') as after,
    l.event_type,
    l.from_status,
    l.to_status,
    l.token,
    l.agent_id,
    l.actor,
    l.conflict_reason,
    l.resources
  from interlock.job_queue_log as l
  where l.job_id = :'asked_job'
  order by l.id desc
  limit 500
) as e
order by e.id;

\echo 'Last lines of its output'
select o.attempt, o.stream, o.lines
from (
  select c.seq, c.attempt, c.stream, right(c.lines, 2000) as lines
  from interlock.job_output as c
  where c.job_id = :'asked_job'
  order by c.seq desc
  limit 5
) as o
order by o.seq;

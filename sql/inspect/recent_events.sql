-- The latest events, newest last (40, or -v events=N)

\if :{?events}
  \set asked_events :events
\else
  \set asked_events 40
\endif

select e.at, e.job_id, e.job_type, e.event_type, e.from_status, e.to_status, e.agent_id, e.actor, e.conflict_reason
from (
  select
    l.id,
    to_char(l.created_at, 'HH24:MI:SS.MS') as at,
    l.job_id,
    l.job_type,
    l.event_type,
    l.from_status,
    l.to_status,
    l.agent_id,
    l.actor,
    l.conflict_reason
  from interlock.job_queue_log as l
  order by l.transaction_id desc, l.id desc
  limit least(:asked_events, 10000)
) as e
order by e.id;

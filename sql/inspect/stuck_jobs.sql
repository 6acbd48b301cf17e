-- What should have moved on by itself and has not, and whose task that was
-- Empty while a coordinator and the agents live: each line here is something that they do within seconds.

select s.job_id, s.status, s.agent_id, s.trouble, interlock.duration_words(interlock.clock() - s.since) as since
from interlock.stuck_jobs() as s
limit 200;

\echo 'The inbox and the doorbells: what waits for a coordinator to look at it (both are near 0 while one runs)'
select
  (select count(*) from (select from interlock.job_lane_touches limit 10000) as t) as touches,
  to_regclass('graphile_worker.jobs') is not null as has_doorbells
\gset inbox_
\if :inbox_has_doorbells
  select
    :inbox_touches as touches,
    (select count(*) from (select from graphile_worker.jobs as d where d.task_identifier = 'dispatch' limit 10000) as d) as doorbells,
    (select max(l.created_at) from (select e.created_at from interlock.job_queue_log as e order by e.id desc limit 1) as l) as last_event_at;
\else
  select :inbox_touches as touches, 'no coordinator has run here yet' as doorbells;
\endif

-- What should have moved on by itself and has not, and whose task that was
-- Empty while a coordinator and the agents live: each line here is something that they do within seconds.

-- Read once: a volatile clock in a condition would keep every index from being used.
select interlock.clock() as now
\gset

with stuck as (
  (
    select 1 as ord, a.job_id, a.status, a.agent_id, a.assigned_at as since, 'its start was not confirmed: the coordinator gives it back after 10 s' as trouble
    from interlock.active_jobs as a
    where a.status = 'assigned'
      and a.agent_id <> interlock.locks_agent()
      and a.assigned_at < :'now'::timestamptz - interval '15 seconds'
    limit 100
  )
  union all
  (
    select 2, a.job_id, a.status, a.agent_id, a.must_end_at, 'it runs beyond its timeout: its agent should have ended it'
    from interlock.active_jobs as a
    where a.must_end_at < :'now'::timestamptz - interval '15 seconds'
    limit 100
  )
  union all
  (
    select 3, a.job_id, a.status, a.agent_id, a.cancel_requested_at, 'it was asked to stop and goes on: its agent should have ended it'
    from interlock.active_jobs as a
    where a.cancel_requested_at < :'now'::timestamptz - interval '30 seconds'
    limit 100
  )
  union all
  (
    select 4, a.job_id, a.status, a.agent_id, g.lease_until, 'its agent''s lease is over: the coordinator sweeps it (by hand: repair/sweep_agent.sql)'
    from interlock.agent_stats as g
    join interlock.active_jobs as a on a.agent_id = g.id
    where g.state <> 'gone'
      and g.lease_until < :'now'::timestamptz - interval '5 seconds'
    limit 100
  )
  union all
  (
    select 5, a.job_id, a.status, a.agent_id, a.assigned_at, 'its agent is gone: this cannot be (see inspect/violations.sql)'
    from interlock.active_jobs as a
    left join interlock.agent_stats as g on g.id = a.agent_id
    where g.id is null or g.state = 'gone'
    limit 100
  )
  union all
  (
    select 6, j.id, j.status, null, j.run_at, 'it is due and still scheduled: no coordinator runs'
    from interlock.jobs as j
    where j.status = 'scheduled'
      and j.run_at < :'now'::timestamptz - interval '15 seconds'
    order by j.run_at
    limit 100
  )
  union all
  (
    select 7, j.id, j.status, null, j.expires_at, 'it should have expired: no coordinator runs'
    from interlock.jobs as j
    where j.expires_at < :'now'::timestamptz - interval '60 seconds'
      and j.held is null
      and j.status <> 'failed'
    order by j.expires_at
    limit 100
  )
  union all
  (
    -- The heads of lines that nothing blocks. A full house is no trouble; an idle agent beside them is.
    select 8, h.id, 'pending', null, h.queued_at,
      case
        when q.is_paused then 'its queue is paused'
        when l.route <> all (interlock.served_routes(:'now'::timestamptz)) then 'no live agent serves ' || l.route
        else 'an agent has room and nobody examines it: no coordinator runs'
      end
    from (
      select x.id, x.route, x.waiting_since
      from interlock.job_lanes as x
      where x.rank is not null
        and x.blocked_on is null
      order by x.route, x.rank, x.id
      limit 100
    ) as l
    join interlock.queues as q on q.name = split_part(l.route, '/', 1)
    cross join lateral (
      select j.id, j.queued_at
      from interlock.jobs as j
      where j.lane_id = l.id
        and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h
    where l.waiting_since < :'now'::timestamptz - interval '15 seconds'
      and (q.is_paused
        or l.route <> all (interlock.served_routes(:'now'::timestamptz))
        or exists (select from interlock.agents_with_room(l.route)))
  )
)
select s.job_id, s.status, s.agent_id, s.trouble, interlock.duration_words(:'now'::timestamptz - s.since) as since
from stuck as s
order by s.ord, s.since, s.job_id
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

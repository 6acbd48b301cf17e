create view interlock.alarms as
with policy as (
  select p.* from interlock.alarm_policy as p
),
waits as materialized (
  select o.route, split_part(o.route, '/', 1) as queue, o.since
  from interlock.oldest_waits() as o
  where not exists (select from interlock.queues as q where q.name = split_part(o.route, '/', 1) and q.is_paused)
),
-- Cut, so that a hundred thousand dead letters cost no more than ten thousand.
dead as materialized (
  select d.queue, d.finished_at
  from (
    select j.queue, j.finished_at
    from interlock.jobs as j
    where j.status = 'failed'
    order by j.finished_at desc
    limit 10000
  ) as d
  cross join policy as p
  where d.finished_at > interlock.clock() - greatest(p.failed_window_seconds, p.dead_letter_seconds) * interval '1 second'
)
select 'queue_depth' as rule, d.queue as subject, d.n as value, p.queue_depth::double precision as bound,
  format('%s jobs are pending in the queue %s, more than %s', d.n, d.queue, p.queue_depth) as message
from policy as p
cross join lateral (
  select c.value ->> 'queue' as queue, (c.value ->> 'count')::double precision as n
  from interlock.count_live_jobs(10000) as l
  cross join lateral jsonb_array_elements(l.counts) as c (value)
  where c.value ->> 'status' = 'pending'
) as d
where d.n > p.queue_depth
union all
select 'failed_jobs', d.queue, count(*), p.failed_jobs,
  format('%s jobs of the queue %s failed for good within %s and nobody has dealt with them, more than %s',
    count(*), d.queue, interlock.duration_words(p.failed_window_seconds * interval '1 second'), p.failed_jobs)
from policy as p
join dead as d on d.finished_at > interlock.clock() - p.failed_window_seconds * interval '1 second'
group by d.queue, p.failed_jobs, p.failed_window_seconds
having count(*) > p.failed_jobs
union all
select 'dead_letter', d.queue, count(*), 0,
  format('%s new in the queue %s', case when count(*) = 1 then '1 dead letter is' else count(*) || ' dead letters are' end, d.queue)
from policy as p
join dead as d on d.finished_at > interlock.clock() - p.dead_letter_seconds * interval '1 second'
group by d.queue
union all
select 'oldest_wait', w.queue, extract(epoch from interlock.clock() - min(w.since)), p.oldest_wait_seconds,
  format('a job waits in the queue %s for %s, longer than %s', w.queue,
    interlock.duration_words(interlock.clock() - min(w.since)), interlock.duration_words(p.oldest_wait_seconds * interval '1 second'))
from policy as p
cross join waits as w
group by w.queue, p.oldest_wait_seconds
having min(w.since) < interlock.clock() - p.oldest_wait_seconds * interval '1 second'
union all
select 'no_agent', w.route, extract(epoch from interlock.clock() - w.since), p.unserved_seconds,
  format('jobs of the route %s wait for %s, and no agent that is alive serves it', w.route, interlock.duration_words(interlock.clock() - w.since))
from policy as p
join waits as w on w.since < interlock.clock() - p.unserved_seconds * interval '1 second'
where not exists (
  select
  from interlock.agent_stats as a
  where a.state = 'active'
    and a.lease_until > interlock.clock()
    and w.route = any (a.routes)
)
union all
-- Without what the session says: a statement may hold anything.
select 'old_snapshot', '', o.seconds, p.old_snapshot_seconds,
  format('%s %s keeps the past alive for %s; claims slow down', o.kind, o.name, interlock.duration_words(o.seconds * interval '1 second'))
from policy as p
cross join lateral (
  select s.kind, s.name, s.seconds
  from interlock.old_snapshots(p.old_snapshot_seconds) as s
  order by s.seconds desc
  limit 1
) as o
where p.old_snapshot_seconds is not null;

comment on view interlock.alarms is
  'One row is something that is alarming now, by alarm_policy: rule, the queue or route that it is about, what was found, what is allowed, and the same as a sentence. More than 10,000 live jobs are estimated, of dead letters the latest 10,000 are looked at: its cost does not grow with what waits. What was raised and said is in raised_alarms.';

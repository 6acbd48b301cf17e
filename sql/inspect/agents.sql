-- Alive or not, room, load, lease, and what each holds; the last ten that are gone

select
  a.id as agent_id,
  case when a.state <> 'gone' and a.lease_until < interlock.clock() then a.state || ', lease over' else a.state end as state,
  a.host,
  a.pid,
  a.queues,
  a.active_jobs || ' of ' || a.slots as slots_used,
  a.slots_open,
  a.load_level as load,
  round(a.load_score::numeric) as score,
  round(a.cpu_percent::numeric) as cpu,
  round(a.memory_percent::numeric) as memory,
  a.liveness,
  interlock.duration_words(interlock.clock() - a.last_heartbeat_at) || ' ago' as heartbeat,
  round(extract(epoch from a.lease_until - interlock.clock())::numeric, 1) as lease_left_seconds,
  a.lock_missing_since,
  h.holds
from interlock.agent_stats as a
cross join lateral (
  select array_agg(x.job_id) as holds
  from (select v.job_id from interlock.active_jobs as v where v.agent_id = a.id limit 20) as x
) as h
where a.state <> 'gone'
  and a.id <> interlock.locks_agent()
order by a.load_score, a.id
limit 200;

select a.id as agent_id, a.ended_at, a.end_reason, a.host, a.pid, a.registered_at
from interlock.agent_stats as a
where a.state = 'gone'
order by a.incarnation desc
limit 10;

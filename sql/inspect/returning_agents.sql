-- Agents that were registered again and again in the last hour: they crash, are cut off, or two go by one name

select a.name, count(*) as registrations, count(distinct (a.host, a.pid)) as processes, array_agg(distinct a.host) as hosts,
  array_agg(distinct a.end_reason) filter (where a.end_reason is not null) as ended_because,
  max(a.registered_at) as last_registered_at
from interlock.agent_stats as a
where a.registered_at > interlock.clock() - interval '1 hour'
  and a.id <> interlock.locks_agent()
group by a.name
having count(*) > 1
order by count(*) desc, a.name
limit 50;

-- How many jobs were blocked in the last hour, and by what (of the latest 100,000 events)

\echo 'How many'
select
  count(distinct b.job_id) as blocked_jobs,
  count(*) as blocked_events,
  coalesce(bool_or(b.n = 100000), false) as is_cut
from (
  select l.job_id, l.event_type, l.created_at, row_number() over () as n
  from (
    select e.job_id, e.event_type, e.created_at
    from interlock.job_queue_log as e
    order by e.id desc
    limit 100000
  ) as l
) as b
where b.event_type = 'blocked'
  and b.created_at > interlock.clock() - interval '1 hour';

\echo 'By what'
select
  b.details ->> 'blocked_on' as resource,
  count(distinct b.job_id) as jobs,
  max(b.created_at) as last,
  (array_agg(b.conflict_reason order by b.id desc))[1] as last_reason
from (
  select l.id, l.job_id, l.event_type, l.created_at, l.conflict_reason, l.details
  from interlock.job_queue_log as l
  order by l.id desc
  limit 100000
) as b
where b.event_type = 'blocked'
  and b.created_at > interlock.clock() - interval '1 hour'
group by 1
order by 2 desc, 1
limit 20;

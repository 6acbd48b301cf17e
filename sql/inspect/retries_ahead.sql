-- When what failed is tried again, a minute at a time, and the budget of each queue

select q.name as queue, q.retry_delays_seconds as waits, q.retries_per_minute as budget,
  case when q.retries_paced_until > interlock.clock() then interlock.duration_words(q.retries_paced_until - interlock.clock()) end as backlog,
  r.due_in_minutes, coalesce(r.jobs, 0) as jobs, r.last_errors
from interlock.queues as q
left join lateral (
  select floor(extract(epoch from x.run_at - interlock.clock()) / 60)::int as due_in_minutes, count(*) as jobs,
    (array_agg(distinct left(x.error ->> 'message', 60)))[1:3] as last_errors
  from (
    select j.run_at, j.error
    from interlock.jobs as j
    where j.queue = q.name
      and j.status = 'scheduled'
      and j.attempt > 0
    limit 100000
  ) as x
  group by 1
) as r on true
where q.name <> 'locks'
order by q.name, r.due_in_minutes
limit 200;

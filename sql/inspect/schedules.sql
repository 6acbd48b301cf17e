-- Schedules: when each comes next, what it enqueued last, and what is wrong with it

select
  s.name as schedule,
  s.cron,
  s.time_zone,
  case
    when s.is_paused then 'paused'
    when s.next_at = 'infinity' then 'never again'
    when s.next_at = '-infinity' then 'a coordinator has yet to compute it'
    when s.next_at < interlock.clock() - interval '10 seconds' then 'overdue: no coordinator runs'
    else 'in ' || interlock.duration_words(s.next_at - interlock.clock())
  end as next,
  s.last_at,
  s.last_job_id,
  left(s.last_problem, 200) as problem
from interlock.schedules as s
order by s.is_paused, s.next_at, s.name;

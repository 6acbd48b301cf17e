-- The resources that most lines wait for, and who holds them
-- A line is all that needs exactly the same; at most 10,000 lines are looked at.

select
  p.resource,
  p.lines,
  c.holder_id as held_by_job_id,
  j.user_name,
  j.task,
  interlock.duration_words(interlock.clock() - j.assigned_at) as held_for,
  interlock.duration_words(interlock.clock() - p.waiting_since) as longest_wait,
  c.reason
from (
  select l.obstacle as resource, count(*) as lines, min(l.waiting_since) as waiting_since
  from (
    select interlock.obstacle_of(x.blocked_on) as obstacle, x.waiting_since
    from interlock.job_lanes as x
    where x.blocked_on is not null
    limit 10000
  ) as l
  group by l.obstacle
  order by 2 desc, 3, 1
  limit 20
) as p
cross join lateral interlock.conflict_reason(p.resource) as c
left join interlock.jobs as j on j.id = c.holder_id
order by p.lines desc, p.waiting_since, p.resource;

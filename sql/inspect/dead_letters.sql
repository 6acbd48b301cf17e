-- What failed for good, by error, and the latest of them

\echo 'By task and error (of the latest 10,000)'
select
  d.task,
  left(coalesce(d.error ->> 'message', 'no error was given'), 80) as error,
  count(*) as jobs,
  min(d.finished_at) as first,
  max(d.finished_at) as last
from (
  select j.task, j.error, j.finished_at
  from interlock.jobs as j
  where j.status = 'failed'
  order by j.finished_at desc
  limit 10000
) as d
group by 1, 2
order by 3 desc, 1, 2
limit 50;

\echo 'The latest'
select
  j.id as job_id,
  j.task,
  j.user_name,
  j.queue,
  j.attempt as attempts,
  j.finished_at,
  j.error ->> 'code' as code,
  left(j.error ->> 'message', 200) as error
from interlock.jobs as j
where j.status = 'failed'
order by j.finished_at desc
limit 20;

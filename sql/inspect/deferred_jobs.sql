-- Which jobs wait for others to end, and for which (the first 50; what a person has to move on comes first)

select
  j.id as job_id,
  j.task,
  j.user_name,
  p.parent_id as waits_for,
  p.parent_status as which_is,
  p.needs,
  interlock.duration_words(interlock.clock() - j.created_at) as waits
from interlock.job_parents as p
join interlock.jobs as j
  on j.id = p.job_id
where j.status = 'deferred'
  and not p.is_settled
order by (p.parent_status not in ('failed', 'paused')), j.created_at, j.id, p.parent_id
limit 50;

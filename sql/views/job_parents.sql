create view interlock.job_parents as
select
  d.job_id,
  d.parent_id,
  d.needs,
  coalesce(d.parent_outcome, j.status, h.outcome, 'deleted') as parent_status,
  d.parent_outcome is not null as is_settled,
  d.created_at,
  d.settled_at
from interlock.job_dependencies as d
left join interlock.jobs as j
  on j.id = d.parent_id
  and d.parent_outcome is null
left join lateral (
  select t.outcome
  from interlock.task_history as t
  where t.job_id = d.parent_id
    and d.parent_outcome is null
    and j.id is null
  order by t.finished_at desc
  limit 1
) as h on true;

comment on view interlock.job_parents is
  'What each job depends on: the parent, what it is now (or what it came to), which end is needed, and whether the child was told. A deferred job waits for those that are not settled.';

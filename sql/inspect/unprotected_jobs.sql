-- What names no user or no model, so that nothing keeps two of it apart (of up to 10,000 live jobs)
-- The question behind "the coordinator does not detect conflicts": it keeps apart what jobs name, and only that.

select
  j.task,
  count(*) as jobs,
  count(*) filter (where j.resources = '{}') as without_any_resource,
  count(*) filter (where not exists (select from unnest(j.resources) as r (resource) where r.resource like 'user:%')) as without_user,
  count(*) filter (where not exists (select from unnest(j.resources) as r (resource) where r.resource like 'model:%')) as without_model,
  max(j.id) filter (where j.resources = '{}') as an_example_without_any
from (
  select x.id, x.task, x.resources
  from interlock.jobs as x
  order by x.id desc
  limit 10000
) as j
group by j.task
having bool_or(not exists (select from unnest(j.resources) as r (resource) where r.resource like 'user:%'))
  or bool_or(not exists (select from unnest(j.resources) as r (resource) where r.resource like 'model:%'))
order by 3 desc, 2 desc, 1
limit 50;

\echo 'Kinds of resources that are switched off (unlimited), which keep nothing apart either'
select l.pattern, l.updated_at
from interlock.resource_limits as l
where l.capacity is null
order by l.pattern
limit 100;

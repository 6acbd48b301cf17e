-- Which models does each workflow require, step by step?
-- A model that is missing here is not locked: the step has no default_model, and whoever runs the workflow named none.

select
  s.workflow_id,
  s.version,
  s.hold,
  s.place,
  s.step,
  s.task,
  coalesce(s.default_model, 'none') as default_model
from interlock.workflow_steps as s
order by s.workflow_id, s.place;

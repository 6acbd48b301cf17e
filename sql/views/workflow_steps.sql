create view interlock.workflow_steps as
select
  w.id as workflow_id,
  s.place,
  s.step ->> 'name' as step,
  s.step ->> 'default_model' as default_model,
  s.step ->> 'task' as task,
  w.hold,
  w.version
from interlock.workflows as w
cross join lateral jsonb_array_elements(w.steps) with ordinality as s (step, place);

comment on view interlock.workflow_steps is
  'The steps of every workflow with their default models: where a model that should be required is missing, it is missing here.';

-- Where is each workflow's run: its step, its model, and who blocks it (the latest 20)

select
  p.id,
  p.workflow_id,
  p.status,
  p.current_step || ' of ' || jsonb_array_length(p.steps) || ': ' || p.current_step_name as current_step,
  p.current_step_model,
  p.required_models,
  p.blocked_by_job_id,
  p.conflict_reason,
  p.user_name,
  p.created_at
from (
  select e.id
  from interlock.workflow_executions as e
  order by e.created_at desc
  limit 20
) as latest
cross join lateral (
  select *
  from interlock.workflow_progress as x
  where x.id = latest.id
) as p
order by p.created_at desc;

create view interlock.workflow_progress as
select
  e.id,
  e.workflow_id,
  -- Between two of its steps an execution runs, whatever its next job waits for.
  case when c.place > 1 and c.status = any ('{deferred,scheduled,pending,assigned}') then 'running' else c.status end as status,
  c.step as current_step,
  e.steps -> (c.step - 1) ->> 'name' as current_step_name,
  e.steps -> (c.step - 1) ->> 'model' as current_step_model,
  e.required_models,
  w.blocked_by_job_id,
  w.conflict_reason,
  c.job_id as current_job_id,
  e.job_ids,
  e.user_name,
  e.project,
  e.hold,
  e.version,
  e.steps,
  e.input,
  e.created_at,
  f.started_at,
  case when c.status = any ('{completed,failed,cancelled,expired,deleted}') then c.finished_at end as finished_at
from interlock.workflow_executions as e
cross join lateral (
  -- The first of its jobs that has not completed, else the last.
  select j.job_id, j.place, j.status, j.finished_at,
    case
      when e.hold = 'step' then j.place
      when e.reported_token = j.token then e.reported_step
      when j.is_held then 1
    end as step
  from (
    select u.job_id, u.place::integer as place, coalesce(l.status, h.outcome, 'deleted') as status, coalesce(l.token, h.token) as token,
      coalesce(l.finished_at, h.finished_at) as finished_at, l.held is not null as is_held
    from unnest(e.job_ids) with ordinality as u (job_id, place)
    left join interlock.jobs as l on l.id = u.job_id
    left join lateral (
      select t.outcome, t.token, t.finished_at
      from interlock.task_history as t
      where t.job_id = u.job_id
        and l.id is null
      order by t.finished_at desc
      limit 1
    ) as h on true
  ) as j
  order by (j.status = 'completed'), case when j.status = 'completed' then -j.place else j.place end
  limit 1
) as c
left join lateral (
  select coalesce(l.started_at, l.assigned_at, h.started_at) as started_at
  from (select e.job_ids[1] as id) as o
  left join interlock.jobs as l on l.id = o.id
  left join lateral (
    select t.started_at
    from interlock.task_history as t
    where t.job_id = o.id
      and l.id is null
    order by t.finished_at desc
    limit 1
  ) as h on true
) as f on true
left join interlock.waiting_jobs as w
  on w.job_id = c.job_id
  and c.status = 'pending';

comment on view interlock.workflow_progress is
  'Where each execution is: its status, the step and model that it is at, what it needs, who blocks it and why. All of it is read from its jobs, so it is never stale. Meant for some at a time (where id = ..., or limit): why it waits is looked up for each row.';

-- Up Migration

create table interlock.workflows (
  id interlock.short_name collate "C" primary key,
  version integer not null default 1,
  title interlock.short_name,
  description interlock.description,
  hold text not null default 'run',
  task interlock.task_name not null,
  steps jsonb not null,
  queue text,
  priority interlock.priority not null default 2,
  permission_level interlock.permission_level not null default 'autonomous',
  timeout_seconds interlock.run_seconds,
  max_attempts interlock.attempts,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  updated_by text,
  constraint workflows_id_is_plain check (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' and length(id) <= 100),
  constraint workflows_version_counts check (version >= 1),
  constraint workflows_hold_is_known check (hold in ('run', 'step')),
  constraint workflows_steps_are_some check (jsonb_typeof(steps) = 'array' and jsonb_array_length(steps) between 1 and 100)
);
comment on table interlock.workflows is
  'One row is a definition: steps in their order, each with the model that it needs by default. Written by apply_workflow(); executions keep a copy of their own, so a change is for the next ones.';
comment on column interlock.workflows.id is 'Its name: 1 to 100 letters, digits and . _ -';
comment on column interlock.workflows.version is 'Counts the definitions that were applied under this name.';
comment on column interlock.workflows.title is 'For people.';
comment on column interlock.workflows.description is 'For people, of up to 1,024 characters.';
comment on column interlock.workflows.hold is 'run: one job holds the models of all steps from beginning to end. step: a job for each step, which holds its own model only.';
comment on column interlock.workflows.task is 'With hold run, the task of the one job; the workflow''s id unless set.';
comment on column interlock.workflows.steps is 'An array of {name, task, default_model, resources, payload, timeout_seconds, max_attempts}; only the name is required, and the task is the name unless set.';
comment on column interlock.workflows.queue is 'Where its jobs wait; null: the priority chooses.';
comment on column interlock.workflows.priority is '0 critical, 1 high, 2 normal, 3 low, unless an execution says otherwise.';
comment on column interlock.workflows.permission_level is 'autonomous, supervised or human_required.';
comment on column interlock.workflows.timeout_seconds is 'How long a job of it may run, unless a step says otherwise; null: as the queue has it.';
comment on column interlock.workflows.max_attempts is 'How often a job of it is tried, unless a step says otherwise; null: as the queue has it.';
comment on column interlock.workflows.created_at is 'When it was first applied.';
comment on column interlock.workflows.updated_at is 'When it was last changed.';
comment on column interlock.workflows.updated_by is 'Who changed it last.';

create table interlock.workflow_executions (
  id interlock.job_id primary key,
  workflow_id text not null collate "C",
  version integer not null,
  hold text not null,
  required_models text[] not null,
  steps jsonb not null,
  job_ids text[] not null collate "C",
  user_name interlock.short_name,
  project interlock.short_name,
  input jsonb not null,
  reported_step integer,
  reported_token bigint,
  created_at timestamptz not null,
  created_by text,
  constraint workflow_executions_hold_is_known check (hold in ('run', 'step')),
  constraint workflow_executions_input_is_an_object check (jsonb_typeof(input) = 'object'),
  constraint workflow_executions_has_its_jobs check (
    jsonb_typeof(steps) = 'array' and cardinality(job_ids) = case hold when 'run' then 1 else jsonb_array_length(steps) end),
  constraint workflow_executions_reported_with_a_token check ((reported_step is null) = (reported_token is null) and reported_step >= 1)
);
create index workflow_executions_of_workflow on interlock.workflow_executions (workflow_id, created_at desc);
create index workflow_executions_old on interlock.workflow_executions (created_at);
comment on table interlock.workflow_executions is
  'One row is a run of a workflow: what it was asked for and which jobs do it. Where it is comes from those jobs, in the view workflow_progress: status, current step and model, who blocks it. Kept as long as task_history.';
comment on column interlock.workflow_executions.id is 'Its name; with hold run, its job''s as well.';
comment on column interlock.workflow_executions.workflow_id is 'The definition that it was made from.';
comment on column interlock.workflow_executions.version is 'Which version of it.';
comment on column interlock.workflow_executions.hold is 'run or step, as the definition had it.';
comment on column interlock.workflow_executions.required_models is 'The models of all its steps, in the order of first use.';
comment on column interlock.workflow_executions.steps is 'Its own copy of the steps: {name, task, model}, with the models that it runs with.';
comment on column interlock.workflow_executions.job_ids is 'With hold run its one job; with hold step a job for each step, each depending on the one before.';
comment on column interlock.workflow_executions.user_name is 'Whose run it is.';
comment on column interlock.workflow_executions.project is 'To filter by.';
comment on column interlock.workflow_executions.input is 'What it was given.';
comment on column interlock.workflow_executions.reported_step is 'With hold run: the step that its holder said it is at, from 1.';
comment on column interlock.workflow_executions.reported_token is 'The claim that said so: another attempt begins anew.';
comment on column interlock.workflow_executions.created_at is 'When it was asked for.';
comment on column interlock.workflow_executions.created_by is 'Who asked for it.';

-- Down Migration

drop table interlock.workflow_executions;
drop table interlock.workflows;

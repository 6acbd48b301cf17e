create function interlock.execute_workflow(p_workflow_id text, p_request jsonb default '{}', p_actor text default null, p_key text default null)
returns table (execution_id text, job_ids text[], status text, repeated boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_workflow interlock.workflows;
  v_wrong record;
  v_models jsonb := coalesce(p_request -> 'models', '{}');
  v_steps jsonb;
  v_jobs jsonb;
  v_base jsonb;
  v_first jsonb;
  v_known text[];
begin
  select w.* into v_workflow from interlock.workflows as w where w.id = p_workflow_id;
  if not found then
    raise exception using
      errcode = 'IL013',
      message = format('workflow %s does not exist', p_workflow_id),
      column = 'workflow_id',
      hint = 'interlock workflow list shows those that do; interlock workflow apply defines one.';
  end if;
  select c.field, c.problem into v_wrong
  from (
    select 'request' as field, 'a request must be an object' as problem
    where jsonb_typeof(p_request) is distinct from 'object'
    union all
    select k, format('%s is not a field of an execution', k)
    from jsonb_object_keys(case when jsonb_typeof(p_request) = 'object' then p_request else '{}' end) as k
    where k not in ('input', 'user', 'project', 'priority', 'queue', 'models', 'id', 'run_at', 'delay_seconds', 'depends_on')
    union all
    select 'input', 'input must be an object' where p_request ? 'input' and jsonb_typeof(p_request -> 'input') <> 'object'
    union all
    select 'models', 'models must be an object of steps and models' where jsonb_typeof(v_models) <> 'object'
    union all
    select 'models.' || m.key,
      case when s.name is null then format('workflow %s has no step %s', p_workflow_id, m.key) else format('models.%s must be the name of a model', m.key) end
    from jsonb_each(case when jsonb_typeof(v_models) = 'object' then v_models else '{}' end) as m
    left join (select x.step ->> 'name' as name from jsonb_array_elements(v_workflow.steps) as x (step)) as s on s.name = m.key
    where s.name is null
      or jsonb_typeof(m.value) <> 'string'
      or not interlock.is_resource_name('model:' || (m.value #>> '{}'))
    union all
    select 'models', 'the run would need more than 31 models and resources at once'
    where v_workflow.hold = 'run'
      and jsonb_typeof(v_models) = 'object'
      and cardinality(interlock.workflow_resources(v_workflow.steps, v_models)) > 31
    union all
    select 'id', 'id must be 1 to 100 letters, digits and . _ -'
    where p_request ? 'id'
      and (jsonb_typeof(p_request -> 'id') <> 'string' or p_request ->> 'id' !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' or length(p_request ->> 'id') > 100)
  ) as c
  limit 1;
  if found then
    raise exception using errcode = 'IL005', message = v_wrong.problem, column = v_wrong.field;
  end if;

  if p_key is not null then
    v_known := interlock.remember_key(p_key, sha256(convert_to(jsonb_build_array('workflow', p_workflow_id, p_request)::text, 'UTF8')));
    if v_known is not null then
      return query
      select v_known[1], e.job_ids::text[], coalesce(p.status, 'deleted'), true
      from (values (1)) as one
      left join interlock.workflow_executions as e on e.id = v_known[1]
      left join interlock.workflow_progress as p on p.id = e.id;
      return;
    end if;
  end if;

  execution_id := coalesce(p_request ->> 'id', interlock.sortable_id(nextval('interlock.job_numbers')));
  v_steps := (
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'name', s.step -> 'name', 'task', s.step -> 'task', 'payload', s.step -> 'payload',
      'model', coalesce(v_models -> (s.step ->> 'name'), s.step -> 'default_model'))) order by s.n)
    from jsonb_array_elements(v_workflow.steps) with ordinality as s (step, n)
  );
  v_base := jsonb_strip_nulls(jsonb_build_object('kind', 'workflow', 'queue', v_workflow.queue, 'priority', v_workflow.priority,
      'permission_level', v_workflow.permission_level, 'timeout_seconds', v_workflow.timeout_seconds, 'max_attempts', v_workflow.max_attempts))
    || (p_request - array['input', 'models', 'id', 'run_at', 'delay_seconds', 'depends_on']);
  v_first := p_request - array['input', 'models', 'id', 'user', 'project', 'priority', 'queue'];
  if v_workflow.hold = 'run' then
    v_jobs := jsonb_build_array(v_base || v_first || jsonb_build_object(
      'id', execution_id,
      'task', v_workflow.task,
      'resources', to_jsonb(interlock.workflow_resources(v_workflow.steps, v_models)),
      'payload', jsonb_build_object('workflow_id', p_workflow_id, 'execution_id', execution_id,
        'input', coalesce(p_request -> 'input', '{}'), 'steps', v_steps)));
  else
    select jsonb_agg(
      v_base || case when s.n = 1 then v_first else jsonb_build_object('depends_on', jsonb_build_array(execution_id || '.' || (s.n - 1))) end
      || (w.step - array['name', 'default_model', 'payload'])
      || jsonb_build_object(
        'id', execution_id || '.' || s.n,
        'models', case when s.step ? 'model' then jsonb_build_array(s.step -> 'model') else '[]' end,
        'payload', jsonb_strip_nulls(jsonb_build_object('workflow_id', p_workflow_id, 'execution_id', execution_id, 'step', s.step -> 'name',
            'model', s.step -> 'model', 'previous_job_id', case when s.n > 1 then execution_id || '.' || (s.n - 1) end))
          || jsonb_build_object('input', coalesce(p_request -> 'input', '{}'), 'payload', coalesce(s.step -> 'payload', '{}')))
      order by s.n)
    into v_jobs
    from jsonb_array_elements(v_steps) with ordinality as s (step, n)
    join jsonb_array_elements(v_workflow.steps) with ordinality as w (step, n) on w.n = s.n;
  end if;

  -- In words of the request, not of the jobs that it makes.
  select case w.field when 'payload' then 'input' when 'resources' then 'models' else w.field end as field,
    case w.field when 'payload' then 'input may have at most 256 KiB, together with the steps' else w.problem end as problem, w.code
  into v_wrong
  from jsonb_array_elements(v_jobs) with ordinality as e (job, n)
  cross join lateral interlock.wrong_field(e.job) as w
  order by e.n
  limit 1;
  if found then
    raise exception using errcode = v_wrong.code, message = v_wrong.problem, column = v_wrong.field;
  end if;
  insert into interlock.workflow_executions as e (id, workflow_id, version, hold, required_models, steps, job_ids, user_name, project,
    input, created_at, created_by)
  select execution_id, p_workflow_id, v_workflow.version, v_workflow.hold, interlock.workflow_models(v_workflow.steps, v_models),
    (select jsonb_agg(s.step - 'payload' order by s.n) from jsonb_array_elements(v_steps) with ordinality as s (step, n)),
    array(select x.job ->> 'id' from jsonb_array_elements(v_jobs) with ordinality as x (job, n) order by x.n),
    p_request ->> 'user', p_request ->> 'project', coalesce(p_request -> 'input', '{}'), interlock.clock(), p_actor
  on conflict (id) do nothing;
  if not found then
    raise exception using
      errcode = 'IL006', message = 'an execution with this id exists already', column = 'id', hint = 'Choose another id, or leave it out.';
  end if;
  select array_agg(q.job_id order by q.ordinal), min(q.status) filter (where q.ordinal = 1)
  into job_ids, status
  from interlock.enqueue_jobs(v_jobs, p_actor) as q;
  if p_key is not null then
    update interlock.idempotency_keys as k
    set job_ids = array[execution_id]
    where k.key = p_key;
  end if;
  repeated := false;
  return next;
end
$$;

comment on function interlock.execute_workflow(text, jsonb, text, text) is
  'Runs a workflow: {input, user, project, priority, queue, models {step: model}, id, run_at or delay_seconds, depends_on}, all optional. With hold run it enqueues one job of the kind workflow, under the execution''s id, which needs the models of all steps; with hold step a job for each step, ID.1, ID.2 and so on, each depending on the success of the one before. Returns the execution, its jobs and the status of the first; with a key of the caller''s, the same again when it is asked again (see enqueue_once()).
Insert-only, as enqueue_jobs(); locks the key. Raises IL013 workflow_not_found, and what enqueue_jobs() raises, with the field of the request as COLUMN; nothing is written then.';

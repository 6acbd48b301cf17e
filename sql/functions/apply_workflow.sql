create function interlock.apply_workflow(p_definition jsonb, p_actor text default null)
returns table (workflow_id text, version integer, changed boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_new interlock.workflows;
  v_old interlock.workflows;
begin
  select w.field, w.problem, w.code into v_wrong from interlock.wrong_workflow_field(p_definition) as w limit 1;
  if found then
    raise exception using errcode = v_wrong.code, message = v_wrong.problem, column = v_wrong.field;
  end if;
  v_new.id := p_definition ->> 'id';
  v_new.title := p_definition ->> 'title';
  v_new.description := p_definition ->> 'description';
  v_new.hold := coalesce(p_definition ->> 'hold', 'run');
  v_new.task := coalesce(p_definition ->> 'task', p_definition ->> 'id');
  v_new.steps := (
    select jsonb_agg(jsonb_build_object('task', s.step -> 'name') || s.step order by s.n)
    from jsonb_array_elements(p_definition -> 'steps') with ordinality as s (step, n)
  );
  v_new.queue := p_definition ->> 'queue';
  v_new.priority := interlock.priority_number(p_definition -> 'priority');
  v_new.permission_level := coalesce(p_definition ->> 'permission_level', 'autonomous');
  v_new.timeout_seconds := (p_definition ->> 'timeout_seconds')::integer;
  v_new.max_attempts := (p_definition ->> 'max_attempts')::integer;

  insert into interlock.workflows as w (id, title, description, hold, task, steps, queue, priority, permission_level, timeout_seconds,
    max_attempts, created_at, updated_at, updated_by)
  values (v_new.id, v_new.title, v_new.description, v_new.hold, v_new.task, v_new.steps, v_new.queue, v_new.priority,
    v_new.permission_level, v_new.timeout_seconds, v_new.max_attempts, v_now, v_now, p_actor)
  on conflict (id) do nothing;
  changed := found;
  select w.* into v_old from interlock.workflows as w where w.id = v_new.id for no key update;
  if not changed and (v_old.title, v_old.description, v_old.hold, v_old.task, v_old.steps, v_old.queue, v_old.priority,
      v_old.permission_level, v_old.timeout_seconds, v_old.max_attempts)
    is distinct from (v_new.title, v_new.description, v_new.hold, v_new.task, v_new.steps, v_new.queue, v_new.priority,
      v_new.permission_level, v_new.timeout_seconds, v_new.max_attempts) then
    update interlock.workflows as w
    set version = w.version + 1,
        title = v_new.title,
        description = v_new.description,
        hold = v_new.hold,
        task = v_new.task,
        steps = v_new.steps,
        queue = v_new.queue,
        priority = v_new.priority,
        permission_level = v_new.permission_level,
        timeout_seconds = v_new.timeout_seconds,
        max_attempts = v_new.max_attempts,
        updated_at = v_now,
        updated_by = p_actor
    where w.id = v_new.id
    returning w.version into v_old.version;
    changed := true;
  end if;
  if changed then
    insert into interlock.job_queue_log (created_at, event_type, actor, details)
    values (v_now, 'workflow_set', p_actor, jsonb_build_object('workflow', v_new.id, 'version', v_old.version));
  end if;
  workflow_id := v_new.id;
  version := v_old.version;
  return next;
end
$$;

comment on function interlock.apply_workflow(jsonb, text) is
  'Makes a workflow be as defined: {id, title, description, hold (run or step), task, steps [{name, task, default_model, resources, payload, timeout_seconds, max_attempts}], queue, priority, permission_level, timeout_seconds, max_attempts}. Returns its version, and whether anything changed: the same definition again changes nothing. Executions that run keep the steps that they were made with.
Locks the workflow''s row. Raises IL005, IL011, IL012 with the field as COLUMN (steps[2].default_model); nothing is written then.';

create function interlock.wrong_workflow_field(p_definition jsonb)
returns table (field text, problem text, code text)
language plpgsql stable
set search_path = ''
as $$
declare
  v_step jsonb;
  v_place text;
  v_names text[] := '{}';
  v_job jsonb;
begin
  if jsonb_typeof(p_definition) is distinct from 'object' then
    return query values ('definition', 'a workflow must be an object', 'IL005');
    return;
  end if;
  return query
  select c.field, c.problem, 'IL005'
  from (
    select k as field, format('%s is not a field of a workflow', k) as problem
    from jsonb_object_keys(p_definition) as k
    where k not in ('id', 'title', 'description', 'hold', 'task', 'steps', 'queue', 'priority', 'permission_level', 'timeout_seconds', 'max_attempts')
    union all
    select 'id', 'id must be 1 to 100 letters, digits and . _ -'
    where jsonb_typeof(p_definition -> 'id') is distinct from 'string'
      or p_definition ->> 'id' !~ '^[A-Za-z0-9][A-Za-z0-9._-]*$' or length(p_definition ->> 'id') > 100
    union all
    select t.field, format('%s must be a string of 1 to %s characters', t.field, t.most)
    from (values ('title', 200), ('description', 1024)) as t (field, most)
    where p_definition ? t.field
      and (jsonb_typeof(p_definition -> t.field) <> 'string' or length(p_definition ->> t.field) not between 1 and t.most)
    union all
    select 'hold', 'hold must be run or step'
    where p_definition ? 'hold' and coalesce(p_definition -> 'hold' not in ('"run"', '"step"'), true)
    union all
    select 'steps', 'steps must be an array of 1 to 100 steps'
    where case when jsonb_typeof(p_definition -> 'steps') = 'array' then jsonb_array_length(p_definition -> 'steps') not between 1 and 100 else true end
  ) as c
  limit 1;
  if found then
    return;
  end if;

  -- The rest is as of a job, and judged as one: of the run, or of each step.
  v_job := jsonb_build_object('task', p_definition -> 'id') || (p_definition - array['id', 'title', 'description', 'hold', 'steps']);
  if p_definition ->> 'hold' is distinct from 'step' then
    return query
    select case w.field when 'models' then 'steps' else w.field end, case w.field when 'resources' then 'the models of all steps together are more than 32' else w.problem end, w.code
    from interlock.wrong_field(v_job) as w;
    if found then
      return;
    end if;
  end if;
  for v_step, v_place in
    select s.step, format('steps[%s]', s.n - 1)
    from jsonb_array_elements(p_definition -> 'steps') with ordinality as s (step, n)
    order by s.n
  loop
    return query
    select c.field, c.problem, 'IL005'
    from (
      select v_place as field, format('%s must be an object', v_place) as problem
      where jsonb_typeof(v_step) <> 'object'
      union all
      select v_place || '.' || k, format('%s.%s is not a field of a step', v_place, k)
      from jsonb_object_keys(case when jsonb_typeof(v_step) = 'object' then v_step else '{}' end) as k
      where k not in ('name', 'task', 'default_model', 'resources', 'payload', 'timeout_seconds', 'max_attempts')
      union all
      select v_place || '.name', format('%s.name must be 1 to 100 letters, digits and . _ / -', v_place)
      where jsonb_typeof(v_step -> 'name') is distinct from 'string'
        or v_step ->> 'name' !~ '^[A-Za-z0-9][A-Za-z0-9._/-]*$' or length(v_step ->> 'name') > 100
      union all
      select v_place || '.name', format('%s.name %s is the name of an earlier step', v_place, v_step ->> 'name')
      where v_step ->> 'name' = any (v_names)
      union all
      select v_place || '.default_model', format('%s.default_model must be the name of a model', v_place)
      where v_step ? 'default_model'
        and (jsonb_typeof(v_step -> 'default_model') <> 'string' or not interlock.is_resource_name('model:' || (v_step ->> 'default_model')) or length(v_step ->> 'default_model') > 200)
    ) as c
    limit 1;
    if found then
      return;
    end if;
    v_names := v_names || (v_step ->> 'name');
    return query
    select v_place || '.' || w.field, format('%s.%s', v_place, w.problem), w.code
    from interlock.wrong_field(
      (v_job - 'task')
      || jsonb_build_object('task', case when p_definition ->> 'hold' = 'step' or v_step ? 'task' then coalesce(v_step -> 'task', v_step -> 'name') else v_job -> 'task' end)
      || (v_step - array['name', 'task', 'default_model'])) as w
    -- With hold run the tasks of the steps are words for the one that runs them all, and no agent is asked to know them.
    where w.code <> 'IL011' or p_definition ->> 'hold' = 'step';
    if found then
      return;
    end if;
  end loop;
  -- A word for a step is no job: but all that the steps need together is what the one job needs.
  if p_definition ->> 'hold' is distinct from 'step'
    and cardinality(interlock.workflow_resources(p_definition -> 'steps', '{}')) > 31 then
    return query values ('steps', 'steps may need at most 31 models and resources together: they are all held for the whole run', 'IL005');
  end if;
end
$$;

comment on function interlock.wrong_workflow_field(jsonb) is
  'The first wrong field of a workflow''s definition (steps[2].default_model), what is wrong with it, and the SQLSTATE; no row for a good one. What a job has too is judged by wrong_field().';

create function interlock.workflow_resources(p_steps jsonb, p_models jsonb) returns text[]
language sql immutable
set search_path = ''
as $$
  select array(
    select 'model:' || m
    from unnest(interlock.workflow_models(p_steps, p_models)) as m
    union
    select r
    from jsonb_array_elements(p_steps) as s (step)
    cross join lateral jsonb_array_elements_text(case when jsonb_typeof(s.step -> 'resources') = 'array' then s.step -> 'resources' else '[]' end) as r
  )
$$;

comment on function interlock.workflow_resources(jsonb, jsonb) is
  'All that these steps need together, models and other resources.';

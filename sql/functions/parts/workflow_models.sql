create function interlock.workflow_models(p_steps jsonb, p_models jsonb default '{}') returns text[]
language sql immutable
set search_path = ''
as $$
  select coalesce(array_agg(m.model order by m.place), '{}')
  from (
    select coalesce(p_models ->> (s.step ->> 'name'), s.step ->> 'default_model') as model, min(s.n) as place
    from jsonb_array_elements(p_steps) with ordinality as s (step, n)
    where coalesce(p_models ->> (s.step ->> 'name'), s.step ->> 'default_model') is not null
    group by 1
  ) as m
$$;

comment on function interlock.workflow_models(jsonb, jsonb) is
  'The models that these steps need, each once, in the order of first use; p_models says which steps take another than their default, by name.';

create function interlock.wrong_load(p_load jsonb) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when pg_catalog.jsonb_typeof(p_load) is distinct from 'object' then 'load must be an object'
    else (
      select case
        when f.key not in ('cpu_percent', 'memory_percent', 'queue_depth') then f.key || ' is not a figure of the load'
        when f.key = 'queue_depth' then 'queue_depth must be a whole number from 0 to 1000000'
        else f.key || ' must be a number from 0 to 100'
      end
      from pg_catalog.jsonb_each(p_load) as f (key, value)
      where f.value <> 'null'
        and not case
          when pg_catalog.jsonb_typeof(f.value) <> 'number' then false
          when f.key in ('cpu_percent', 'memory_percent') then (f.value #>> '{}')::numeric between 0 and 100
          when f.key = 'queue_depth' then (f.value #>> '{}') ~ '^[0-9]{1,7}$' and (f.value #>> '{}')::integer <= 1000000
          else false
        end
      limit 1
    )
  end
$$;

comment on function interlock.wrong_load(jsonb) is
  'What is wrong with the load that an agent reports, beginning with the figure''s name; null: nothing.';

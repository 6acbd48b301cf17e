create function interlock.is_everyday_job(p_job jsonb) returns boolean
language sql stable
as $$
  select case
    when jsonb_typeof(p_job) <> 'object' then false
    else p_job - array['task', 'user', 'queue', 'priority', 'models', 'kind', 'payload'] = '{}'
      and coalesce(jsonb_typeof(p_job -> 'task') = 'string' and length(p_job ->> 'task') <= 128 and p_job ->> 'task' ~ '^[A-Za-z0-9][A-Za-z0-9._/-]*$', false)
      and (not p_job ? 'user'
        or (jsonb_typeof(p_job -> 'user') = 'string' and length(p_job ->> 'user') <= 200 and p_job ->> 'user' ~ '^[^*[:cntrl:]]+$'))
      and (not p_job ? 'kind' or (jsonb_typeof(p_job -> 'kind') = 'string' and length(p_job ->> 'kind') between 1 and 64))
      and (not p_job ? 'priority' or p_job -> 'priority' in ('"critical"', '"high"', '"normal"', '"low"'))
      and (not p_job ? 'payload' or (jsonb_typeof(p_job -> 'payload') = 'object' and pg_column_size(p_job -> 'payload') <= 65536))
      and (not p_job ? 'models' or case when jsonb_typeof(p_job -> 'models') = 'array'
        then jsonb_array_length(p_job -> 'models') <= 16
          and not exists (
            select
            from jsonb_array_elements(p_job -> 'models') as m (model)
            where jsonb_typeof(m.model) <> 'string'
              or not interlock.is_resource_name('model:' || (m.model #>> '{}'))
          )
        else false end)
      and (not p_job ? 'queue' or jsonb_typeof(p_job -> 'queue') = 'string')
      and exists (
        select
        from interlock.queues as q
        where q.name = coalesce(p_job ->> 'queue', interlock.queue_of_priority(interlock.priority_number(p_job -> 'priority')))
          and (q.tasks is null or p_job ->> 'task' = any (q.tasks))
      )
  end
$$;

comment on function interlock.is_everyday_job(jsonb) is
  'Whether a job to be enqueued has only the most usual fields and they are right, asked as one expression: wrong_field(), which looks at everything and names what is wrong, costs ten times as much. False says nothing.';

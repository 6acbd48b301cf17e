create function interlock.wrong_field(p_job jsonb)
returns table (field text, problem text, code text)
language sql stable
as $$
  select c.field, c.problem, coalesce(c.code, 'IL005')
  from (
    select 1 as place, 'job' as field,
      case when jsonb_typeof(p_job) is distinct from 'object' then 'a job must be an object' end as problem, null as code
    union all
    select 2, k, format('%s is not a field of a job', k), null
    from jsonb_object_keys(case when jsonb_typeof(p_job) = 'object' then p_job else '{}' end) as k
    where k not in ('task', 'user', 'project', 'id', 'queue', 'priority', 'models', 'resources', 'kind', 'payload', 'permission_level',
      'run_at', 'delay_seconds', 'timeout_seconds', 'max_attempts', 'retry_delays_seconds', 'ttl_seconds', 'start', 'approved_by',
      'depends_on', 'depends_on_outcome', 'unique_key', 'on_duplicate', 'heartbeat_seconds')
    union all
    select 3, t.field, format('%s must be a string%s', t.field, case when t.field = 'task' then ': the kind of work' else '' end), null
    from (values ('task'), ('user'), ('project'), ('id'), ('queue'), ('kind'), ('permission_level'), ('run_at'), ('approved_by'),
      ('unique_key'), ('on_duplicate')) as t (field)
    where jsonb_typeof(p_job -> t.field) <> 'string'
      or (t.field = 'task' and not p_job ? 'task')
    union all
    select 4, n.field, format('%s must be a whole number from %s to %s', n.field, n.low, n.high), null
    from (values ('timeout_seconds', 1, 2592000), ('max_attempts', 1, 100), ('ttl_seconds', 0, 315360000), ('heartbeat_seconds', 0, 86400)) as n (field, low, high)
    where p_job ? n.field
      and not (jsonb_typeof(p_job -> n.field) = 'number' and p_job ->> n.field ~ '^[0-9]{1,9}$' and (p_job ->> n.field)::bigint between n.low and n.high)
    union all
    select 5, a.field, format('%s must be an array of at most 32 strings', a.field), null
    from (values ('models'), ('resources')) as a (field)
    where p_job ? a.field
      and case when jsonb_typeof(p_job -> a.field) = 'array'
        then jsonb_array_length(p_job -> a.field) > 32 or exists (select from jsonb_array_elements(p_job -> a.field) as x where jsonb_typeof(x) <> 'string')
        else true end
    union all
    select 6, v.field, v.problem, v.code
    from (
      select 'task' as field, 'task must be 1 to 128 letters, digits and . _ / -' as problem, null as code
      where p_job ->> 'task' !~ '^[A-Za-z0-9][A-Za-z0-9._/-]*$' or length(p_job ->> 'task') > 128
      union all
      select 'user', 'user must be 1 to 200 characters, without asterisk and control characters', null
      where not interlock.is_resource_name('user:' || (p_job ->> 'user')) or length(p_job ->> 'user') > 200
      union all
      select 'project', 'project must be 1 to 200 characters', null where length(p_job ->> 'project') not between 1 and 200
      union all
      select 'id', 'id must be 1 to 128 letters, digits and . _ : -', null where p_job ->> 'id' !~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$' or length(p_job ->> 'id') > 128
      union all
      select 'kind', 'kind must be 1 to 64 characters', null where length(p_job ->> 'kind') not between 1 and 64
      union all
      select 'permission_level', 'permission_level must be autonomous, supervised or human_required', null
      where p_job ->> 'permission_level' not in ('autonomous', 'supervised', 'human_required')
      union all
      select 'priority', 'priority must be critical, high, normal, low or a number from 0 to 3', null
      where p_job ? 'priority'
        and not coalesce(case when jsonb_typeof(p_job -> 'priority') in ('number', 'string') then interlock.priority_number(p_job -> 'priority') between 0 and 3 end, false)
      union all
      -- Postgres would read "yesterday" too, and a time without an offset as whatever zone the caller's session is in.
      select 'run_at', 'run_at must be an ISO 8601 time with its offset, as 2027-01-31T12:00:00Z', null
      where jsonb_typeof(p_job -> 'run_at') = 'string'
        and (p_job ->> 'run_at' !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'
          or not interlock.is_time(p_job ->> 'run_at'))
      union all
      select 'delay_seconds', 'delay_seconds must be a number from 0 to 315360000', null
      where p_job ? 'delay_seconds'
        and not (jsonb_typeof(p_job -> 'delay_seconds') = 'number' and (p_job ->> 'delay_seconds')::numeric between 0 and 315360000)
      union all
      select 'delay_seconds', 'a job has run_at or delay_seconds, not both', null where p_job ? 'delay_seconds' and p_job ? 'run_at'
      union all
      select 'unique_key', 'unique_key must be 1 to 200 characters, without control characters', null
      where length(p_job ->> 'unique_key') not between 1 and 200 or p_job ->> 'unique_key' ~ '[[:cntrl:]]'
      union all
      select 'on_duplicate', 'on_duplicate must be skip, replace or refuse', null where p_job ->> 'on_duplicate' not in ('skip', 'replace', 'refuse')
      union all
      select 'on_duplicate', 'on_duplicate goes with a unique_key', null where p_job ? 'on_duplicate' and not p_job ? 'unique_key'
      union all
      select 'start', 'start must be true or false', null where p_job ? 'start' and jsonb_typeof(p_job -> 'start') <> 'boolean'
      union all
      select 'depends_on', 'depends_on must be an array of at most 1000 ids of jobs', null
      where p_job ? 'depends_on'
        and case when jsonb_typeof(p_job -> 'depends_on') = 'array'
          then jsonb_array_length(p_job -> 'depends_on') > 1000
            or exists (select from jsonb_array_elements(p_job -> 'depends_on') as x
              where jsonb_typeof(x) <> 'string' or x #>> '{}' !~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$' or length(x #>> '{}') > 128)
          else true end
      union all
      select 'depends_on_outcome', 'depends_on_outcome must be success or any', null
      where p_job ? 'depends_on_outcome' and coalesce(p_job -> 'depends_on_outcome' not in ('"success"', '"any"'), true)
      union all
      select 'depends_on_outcome', 'depends_on_outcome goes with depends_on', null
      where p_job ? 'depends_on_outcome' and not p_job ? 'depends_on'
      union all
      select 'payload', 'payload must be an object', null where p_job ? 'payload' and jsonb_typeof(p_job -> 'payload') <> 'object'
      union all
      select 'payload', 'payload may have at most 256 KiB', null
      where pg_column_size(p_job -> 'payload') > 65536 and octet_length((p_job -> 'payload')::text) > 262144
      union all
      select 'approved_by', 'approved_by must be 1 to 200 characters', null where length(p_job ->> 'approved_by') not between 1 and 200
      union all
      select 'approved_by', 'only a human_required job needs an approval', null
      where p_job ? 'approved_by' and p_job ->> 'permission_level' is distinct from 'human_required'
      union all
      select 'retry_delays_seconds', 'retry_delays_seconds must be ' || interlock.retry_delays_words(), null
      where p_job ? 'retry_delays_seconds' and interlock.retry_delays(p_job -> 'retry_delays_seconds') is null
      union all
      select 'models', format('%s is not the name of a model', m), null
      from jsonb_array_elements_text(case when jsonb_typeof(p_job -> 'models') = 'array' then p_job -> 'models' end) as m
      where not interlock.is_resource_name('model:' || m)
      union all
      select 'resources', format('%s is not a resource: it takes kind:value', r), null
      from jsonb_array_elements_text(case when jsonb_typeof(p_job -> 'resources') = 'array' then p_job -> 'resources' end) as r
      where not interlock.is_resource_name(r)
      union all
      select 'resources', 'a job may need at most 32 resources', null where cardinality(interlock.job_resources(p_job)) > 32
      union all
      select 'queue', format('queue %s does not exist', p_job ->> 'queue'), 'IL012'
      where p_job ? 'queue' and not exists (select from interlock.queues as q where q.name = p_job ->> 'queue')
      union all
      select 'task', format('queue %s does not know the task %s', q.name, p_job ->> 'task'), 'IL011'
      from interlock.queues as q
      where q.name = coalesce(p_job ->> 'queue', interlock.queue_of_priority(interlock.priority_number(p_job -> 'priority')))
        and p_job ->> 'task' <> all (q.tasks)
    ) as v
  ) as c
  where c.problem is not null
  order by c.place
  limit 1
$$;

comment on function interlock.wrong_field(jsonb) is
  'The first wrong field of a job to be enqueued, what is wrong with it, and the SQLSTATE; no row for a good one.';

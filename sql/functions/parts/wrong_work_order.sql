create function interlock.wrong_work_order(p_job jsonb)
returns table (field text, problem text)
language sql stable
as $$
  with o as (
    -- What is null is not there: a client that writes all of its optional fields writes null for most.
    select case when jsonb_typeof(p_job -> 'work_order') = 'object' then jsonb_strip_nulls(p_job -> 'work_order') end as w
  )
  select a.field, a.problem
  from (
    select c.place, case when c.field = '' then 'work_order' else 'work_order.' || c.field end as field,
      format(c.problem, 'work_order' || case when c.field = '' then '' else '.' || c.field end) as problem
    from (
      select 1 as place, '' as field, '%s must be an object' as problem from o where o.w is null
      union all
      select 2, k, '%s is not a field of a work order'
      from o
      cross join jsonb_object_keys(o.w) as k
      where k not in ('id', 'task_id', 'work_order_id', 'task_type', 'permission_level', 'priority', 'repository_url', 'branch_name',
        'issue_number', 'pr_number', 'files', 'title', 'description', 'requirements', 'created_at', 'timeout_seconds', 'max_retries',
        'retry_count', 'payload', 'metadata')
      union all
      select 3, f, '%s is required'
      from o
      cross join unnest(array['task_type', 'repository_url', 'branch_name', 'title', 'description']) as f
      where not o.w ? f
      union all
      select 4, t.f, '%s must be a string of 1 to ' || t.most || ' characters'
      from o
      cross join (values ('id', 128), ('task_id', 128), ('work_order_id', 128), ('task_type', 32), ('permission_level', 32), ('repository_url', 2048),
        ('branch_name', 255), ('title', 300), ('description', 65536), ('created_at', 64)) as t (f, most)
      where o.w ? t.f
        and (jsonb_typeof(o.w -> t.f) <> 'string' or length(o.w ->> t.f) not between 1 and t.most)
      union all
      select 5, n.f, '%s must be a whole number from ' || n.low || ' to ' || n.high
      from o
      cross join (values ('issue_number', 1, 999999999), ('pr_number', 1, 999999999), ('timeout_seconds', 1, 2592000), ('max_retries', 0, 99), ('retry_count', 0, 1000)) as n (f, low, high)
      where o.w ? n.f
        and not coalesce(case when jsonb_typeof(o.w -> n.f) = 'number' and o.w ->> n.f ~ '^[0-9]{1,9}$' then (o.w ->> n.f)::bigint between n.low and n.high end, false)
      union all
      select 6, a.f, '%s must be an array of at most ' || a.most || ' strings of 1 to ' || a.long || ' characters'
      from o
      cross join (values ('files', 1000, 1024), ('requirements', 200, 4096)) as a (f, most, long)
      where o.w ? a.f
        and case when jsonb_typeof(o.w -> a.f) = 'array'
          then jsonb_array_length(o.w -> a.f) > a.most
            or exists (select from jsonb_array_elements(o.w -> a.f) as x where jsonb_typeof(x) <> 'string' or length(x #>> '{}') not between 1 and a.long)
          else true end
      union all
      select 7, x.f, '%s must be an object'
      from o
      cross join unnest(array['payload', 'metadata']) as x (f)
      where o.w ? x.f
        and jsonb_typeof(o.w -> x.f) <> 'object'
      union all
      select 8, v.f, v.problem
      from o
      cross join lateral (
        select 'task_type' as f, '%s must be feature, bugfix, test, docs, refactor or review' as problem
        where o.w ->> 'task_type' not in ('feature', 'bugfix', 'test', 'docs', 'refactor', 'review')
        union all
        select 'permission_level', '%s must be autonomous, supervised or human_required'
        where o.w ->> 'permission_level' not in ('autonomous', 'supervised', 'human_required')
        union all
        select 'priority', '%s must be critical, high, normal, low or a number from 0 to 3'
        where o.w ? 'priority'
          and not coalesce(case when jsonb_typeof(o.w -> 'priority') in ('number', 'string') then interlock.priority_number(o.w -> 'priority') between 0 and 3 end, false)
        union all
        select f, '%s must be 1 to 128 letters, digits and . _ : -'
        from unnest(array['id', 'task_id', 'work_order_id']) as f
        where o.w ->> f !~ '^[A-Za-z0-9][A-Za-z0-9._:-]*$'
        union all
        -- Both end up as arguments of git: what begins with a dash there is an option.
        select 'repository_url', '%s must not have blanks nor begin with a dash' where o.w ->> 'repository_url' ~ '[[:space:][:cntrl:]]|^-'
        union all
        select 'branch_name', '%s must be the name of a branch' where o.w ->> 'branch_name' ~ '[[:space:][:cntrl:]~^:?*\\[]|^[-/]|[/.]$|\.\.|//|@\{'
        union all
        select 'created_at', '%s must be a time in ISO 8601' where jsonb_typeof(o.w -> 'created_at') = 'string' and not (o.w ->> 'created_at' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' and interlock.is_time(o.w ->> 'created_at'))
      ) as v
    ) as c
    union all
    -- Said in two places it has to be the same: nobody is to make a human_required order autonomous by accident.
    select 9, b.f, format('%s is not what the work order says', b.f)
    from o
    cross join lateral (values ('permission_level', o.w -> 'permission_level'), ('priority', o.w -> 'priority'), ('timeout_seconds', o.w -> 'timeout_seconds'),
      ('max_attempts', case when o.w ->> 'max_retries' ~ '^[0-9]{1,9}$' then to_jsonb((o.w ->> 'max_retries')::bigint + 1) end)) as b (f, ordered)
    where p_job -> b.f <> b.ordered
    union all
    select 10, 'payload', 'payload has a work_order of its own'
    where p_job -> 'payload' ? 'work_order'
  ) as a
  order by a.place
  limit 1
$$;

comment on function interlock.wrong_work_order(jsonb) is
  'The first wrong field of the work order of a job to be enqueued (work_order.title, or the field of the job that contradicts it), and what is wrong with it; no row for a good one.';

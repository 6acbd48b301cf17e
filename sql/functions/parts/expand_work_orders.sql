create function interlock.expand_work_orders(p_jobs jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
  v_wrong record;
  v_many boolean := jsonb_array_length(p_jobs) > 1;
begin
  select e.ordinal, w.field, w.problem
  into v_wrong
  from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
  cross join lateral interlock.wrong_work_order(e.job) as w
  where e.job ? 'work_order'
    and jsonb_typeof(e.job) = 'object'
  order by e.ordinal
  limit 1;
  if found then
    raise exception using
      errcode = 'IL005',
      message = format('%s%s', case when v_many then format('jobs[%s]: ', v_wrong.ordinal - 1) else '' end, v_wrong.problem),
      column = case when v_many then format('jobs[%s].%s', v_wrong.ordinal - 1, v_wrong.field) else v_wrong.field end;
  end if;
  return (
    select jsonb_agg(
      case when o.w is null then e.job
      else (e.job - 'work_order')
        || jsonb_build_object('task', coalesce(e.job -> 'task', o.w -> 'task_type'), 'kind', coalesce(e.job -> 'kind', '"work_order"'), 'id', i.id)
        || jsonb_strip_nulls(jsonb_build_object(
          'permission_level', o.w -> 'permission_level',
          'priority', o.w -> 'priority',
          'timeout_seconds', o.w -> 'timeout_seconds',
          'max_attempts', (o.w ->> 'max_retries')::integer + 1))
        || jsonb_build_object('payload',
          -- A payload that is no object stays, to be refused by name.
          case when coalesce(jsonb_typeof(e.job -> 'payload'), 'object') <> 'object' then e.job -> 'payload'
          else coalesce(e.job -> 'payload', '{}') || jsonb_build_object('work_order',
            '{"permission_level": "autonomous", "priority": "normal", "files": [], "requirements": [], "metadata": {}, "payload": {}}'
            || o.w || jsonb_build_object('work_order_id', coalesce(o.w -> 'work_order_id', i.id))) end)
      end
      order by e.ordinal)
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    left join lateral (
      -- At the first level alone: the order's own payload and metadata may mean something by a null.
      select jsonb_object_agg(f.key, f.value) as w
      from jsonb_each(e.job -> 'work_order') as f
      where f.value <> 'null'
    ) as o on jsonb_typeof(e.job) = 'object' and e.job ? 'work_order'
    left join lateral (
      select coalesce(e.job -> 'id', o.w -> 'work_order_id', to_jsonb(interlock.sortable_id(nextval('interlock.job_numbers')))) as id
    ) as i on o.w is not null
  );
end
$$;

comment on function interlock.expand_work_orders(jsonb) is
  'Jobs to be enqueued, with each work_order made what it means: the payload''s field work_order (all of its fields, with what it leaves out: no files, requirements, metadata or payload, autonomous, normal), and the job''s own task (else its task_type), id (else its work_order_id, or a new one that becomes it), kind (else work_order), permission_level, priority, timeout_seconds and max_attempts (max_retries and the first). created_at and retry_count are kept and mean nothing here. Raises IL005, naming the field (work_order.title). Locks nothing.';

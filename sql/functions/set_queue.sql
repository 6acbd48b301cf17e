create function interlock.set_queue(p_name text, p_settings jsonb default '{}', p_actor text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_key text;
  v_was_paused boolean;
begin
  if p_name is null or p_name !~ '^[a-z][a-z0-9_-]{0,62}$' then
    raise exception using errcode = 'IL005', message = 'name must be 1 to 63 lower-case letters, digits, _ and -', column = 'name';
  elsif pg_catalog.jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception using errcode = 'IL005', message = 'settings must be an object', column = 'settings';
  end if;
  select k
  into v_key
  from pg_catalog.jsonb_object_keys(p_settings) as k
  where k not in ('is_paused', 'tasks', 'scheduling', 'priority_step_seconds', 'patience_seconds', 'user_weights', 'timeout_seconds', 'ttl_seconds',
    'max_attempts', 'retry_delays_seconds', 'retries_per_minute', 'request_ttl_seconds', 'result_retention_seconds', 'failure_retention_seconds',
    'max_unfinished', 'when_full', 'refuse_after_wait_seconds', 'heartbeat_seconds', 'finished_retention_seconds', 'dead_letter_retention_seconds');
  if found then
    raise exception using errcode = 'IL005', message = pg_catalog.format('%s is not a setting of a queue', v_key), column = v_key;
  end if;
  if p_settings ? 'retry_delays_seconds' and interlock.retry_delays(p_settings -> 'retry_delays_seconds') is null then
    raise exception using errcode = 'IL005', message = 'retry_delays_seconds must be ' || interlock.retry_delays_words(), column = 'retry_delays_seconds';
  end if;
  if p_name = 'locks' and p_settings ? 'tasks' then
    raise exception using errcode = 'IL005', message = 'queue locks has no tasks: manual locks alone wait in it', column = 'tasks';
  end if;
  if p_name = 'locks' and (p_settings ? 'max_unfinished' or p_settings ? 'refuse_after_wait_seconds') then
    raise exception using errcode = 'IL005', message = 'manual locks are not limited in number', column = case when p_settings ? 'max_unfinished' then 'max_unfinished' else 'refuse_after_wait_seconds' end;
  end if;
  if pg_catalog.jsonb_typeof(p_settings -> 'user_weights') not in ('object', 'null') or exists (
    select
    from pg_catalog.jsonb_each_text(case when pg_catalog.jsonb_typeof(p_settings -> 'user_weights') = 'object' then p_settings -> 'user_weights' end) as w
    where w.value is null or w.value !~ '^([1-9][0-9]?|100)$' or w.key = '' or pg_catalog.length(w.key) > 200
  ) then
    raise exception using errcode = 'IL005', message = 'user_weights must be an object of users and whole numbers from 1 to 100, or null', column = 'user_weights';
  end if;

  insert into interlock.queues (name) values (p_name) on conflict (name) do nothing;
  select q.is_paused into v_was_paused from interlock.queues as q where q.name = p_name for no key update;
  begin
    update interlock.queues as q
    set is_paused = coalesce((p_settings ->> 'is_paused')::boolean, q.is_paused),
        tasks = case when p_settings ? 'tasks' then
          case when p_settings -> 'tasks' = 'null' then null else array(select pg_catalog.jsonb_array_elements_text(p_settings -> 'tasks')) end
          else q.tasks end,
        scheduling = coalesce(p_settings ->> 'scheduling', q.scheduling),
        -- Longer than any wait, and short enough that a time and a few of it still are a time.
        priority_step_seconds = coalesce(case p_settings ->> 'priority_step_seconds' when 'strict' then 1e9 else (p_settings ->> 'priority_step_seconds')::double precision end, q.priority_step_seconds),
        user_weights = case when p_settings ? 'user_weights' then nullif(p_settings -> 'user_weights', 'null') else q.user_weights end,
        patience_seconds = coalesce((p_settings ->> 'patience_seconds')::double precision, q.patience_seconds),
        timeout_seconds = coalesce((p_settings ->> 'timeout_seconds')::integer, q.timeout_seconds),
        ttl_seconds = coalesce((p_settings ->> 'ttl_seconds')::integer, q.ttl_seconds),
        max_attempts = coalesce((p_settings ->> 'max_attempts')::integer, q.max_attempts),
        retry_delays_seconds = case when p_settings ? 'retry_delays_seconds'
          then interlock.retry_delays(p_settings -> 'retry_delays_seconds')
          else q.retry_delays_seconds end,
        retries_per_minute = case when p_settings ? 'retries_per_minute' then (p_settings ->> 'retries_per_minute')::integer else q.retries_per_minute end,
        request_ttl_seconds = coalesce((p_settings ->> 'request_ttl_seconds')::integer, q.request_ttl_seconds),
        result_retention_seconds = coalesce((p_settings ->> 'result_retention_seconds')::integer, q.result_retention_seconds),
        failure_retention_seconds = coalesce((p_settings ->> 'failure_retention_seconds')::integer, q.failure_retention_seconds),
        max_unfinished = case when p_settings ? 'max_unfinished' then (p_settings ->> 'max_unfinished')::integer else q.max_unfinished end,
        when_full = coalesce(p_settings ->> 'when_full', q.when_full),
        refuse_after_wait_seconds = case when p_settings ? 'refuse_after_wait_seconds' then (p_settings ->> 'refuse_after_wait_seconds')::double precision else q.refuse_after_wait_seconds end,
        heartbeat_seconds = case when p_settings ? 'heartbeat_seconds' then (p_settings ->> 'heartbeat_seconds')::integer else q.heartbeat_seconds end,
        finished_retention_seconds = coalesce((p_settings ->> 'finished_retention_seconds')::integer, q.finished_retention_seconds),
        dead_letter_retention_seconds = coalesce((p_settings ->> 'dead_letter_retention_seconds')::integer, q.dead_letter_retention_seconds),
        updated_at = v_now
    where q.name = p_name;
  exception
    when data_exception or check_violation then
      raise exception using errcode = 'IL005', message = pg_catalog.format('a setting of queue %s is out of range: %s', p_name, sqlerrm), column = 'settings';
  end;
  if p_settings ? 'max_unfinished' or p_settings ? 'when_full' or p_settings ? 'refuse_after_wait_seconds' then
    perform interlock.store_backlog_limit('queue:' || q.name, q.max_unfinished, q.when_full, q.refuse_after_wait_seconds)
    from interlock.queues as q
    where q.name = p_name;
  end if;
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (v_now, 'queue_set', p_actor, p_settings || pg_catalog.jsonb_build_object('queue', p_name));
  if v_was_paused and not coalesce((p_settings ->> 'is_paused')::boolean, v_was_paused) then
    perform interlock.ring(array(select p_name || '/' || l from pg_catalog.unnest(array['autonomous', 'supervised', 'human_required']) as l));
  end if;
end
$$;

comment on function interlock.set_queue(text, jsonb, text) is
  'Creates a queue, or changes the settings named (the columns of queues): {is_paused, tasks (null: any), scheduling, priority_step_seconds (or strict), patience_seconds, user_weights ({NAME: 1 to 100}, null: none), timeout_seconds, ttl_seconds, max_attempts, retry_delays_seconds (a list, or {"exponential": {...}}: see retry_delays()), retries_per_minute (null: any number), request_ttl_seconds (how long a question may wait for its answer), max_unfinished (null: any number) with when_full (refuse, drop_oldest), refuse_after_wait_seconds (null: never), heartbeat_seconds (null: none), ...}. They apply to what is claimed and enqueued from then on; a step does not move jobs that wait. Locks the queue''s row; where its backlog is limited, that limit, waiting for uncommitted enqueueings under it. Raises IL005.';

create function interlock.enqueue_job(
  p_task text, p_user text default null, p_payload jsonb default null, p_models text[] default null,
  p_resources text[] default null, p_queue text default null, p_priority text default null, p_project text default null,
  p_id text default null, p_kind text default null, p_run_at timestamptz default null,
  p_delay_seconds double precision default null, p_timeout_seconds integer default null, p_max_attempts integer default null,
  p_retry_delays_seconds jsonb default null, p_ttl_seconds double precision default null, p_permission_level text default null,
  p_unique_key text default null, p_on_duplicate text default null, p_depends_on text[] default null,
  p_depends_on_outcome text default null, p_heartbeat_seconds integer default null, p_work_order jsonb default null,
  p_start boolean default null, p_actor text default null
) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_job jsonb;
begin
  -- What is left out stays out: nulls within the payload are the caller's own.
  select jsonb_object_agg(a.key, a.value)
  into v_job
  from jsonb_each(jsonb_build_object(
    'task', p_task,
    'user', p_user,
    'payload', p_payload,
    'models', p_models,
    'resources', p_resources,
    'queue', p_queue,
    'priority', case when p_priority ~ '^\d{1,9}(\.\d{1,9})?$' then to_jsonb(p_priority::double precision) else to_jsonb(p_priority) end,
    'project', p_project,
    'id', p_id,
    'kind', p_kind,
    'run_at', p_run_at,
    'delay_seconds', p_delay_seconds,
    'timeout_seconds', p_timeout_seconds,
    'max_attempts', p_max_attempts,
    'retry_delays_seconds', p_retry_delays_seconds,
    'ttl_seconds', p_ttl_seconds,
    'permission_level', p_permission_level,
    'unique_key', p_unique_key,
    'on_duplicate', p_on_duplicate,
    'depends_on', p_depends_on,
    'depends_on_outcome', p_depends_on_outcome,
    'heartbeat_seconds', p_heartbeat_seconds,
    'work_order', p_work_order,
    'start', p_start
  )) as a
  where a.value <> 'null';
  return (
    select e.job_id
    from interlock.enqueue_jobs(jsonb_build_array(coalesce(v_job, '{}')), p_actor) as e
  );
end
$$;

comment on function interlock.enqueue_job(text, text, jsonb, text[], text[], text, text, text, text, text, timestamptz, double precision, integer, integer, jsonb, double precision, text, text, text, text[], text, integer, jsonb, boolean, text) is
  'enqueue_jobs() for one job and for people: select interlock.enqueue_job(''resize'', p_user => ''alice'', p_models => ''{flux}''). Each argument is the field of the same name there; null leaves it out. p_priority is a name or a number. Returns the job''s id, which is that of the one that is there already where p_unique_key is skipped. In the caller''s own transaction, and waits for nobody but as enqueue_jobs() says. Raises what enqueue_jobs() raises, with the field as COLUMN.';

create function interlock.list_assignments(p_agent_id text) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(pg_catalog.jsonb_agg(
    pg_catalog.jsonb_build_object(
      'job_id', j.id, 'token', j.token, 'task', j.task, 'kind', j.kind, 'user', j.user_name, 'project', j.project,
      'queue', j.queue, 'attempt', j.attempt, 'max_attempts', j.max_attempts, 'timeout_seconds', j.timeout_seconds,
      'payload', j.payload, 'resources', j.resources, 'fences', interlock.fences(j.held, j.token))
    order by j.token), '[]')
  from interlock.jobs as j
  where j.agent_id = p_agent_id
    and j.held is not null
    and j.status = 'assigned'
$$;

comment on function interlock.list_assignments(text) is
  'The jobs that were assigned to an agent and whose start it has not confirmed, as a JSON array of the shape that claim_jobs() returns: what the coordinator claimed on its behalf. Locks nothing.';

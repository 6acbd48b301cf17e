create function interlock.matches_filter(p_job interlock.jobs, p_filter jsonb, p_now timestamptz) returns boolean
language sql stable
as $$
  -- The cheap ones first, and what reads a payload last.
  select p_job.queue <> 'locks'
    and (p_filter -> 'queue' is null or p_job.queue = p_filter ->> 'queue')
    and (p_filter -> 'user' is null or coalesce(p_job.user_name = p_filter ->> 'user', false))
    and (p_filter -> 'project' is null or coalesce(p_job.project = p_filter ->> 'project', false))
    and (p_filter -> 'task' is null or p_job.task = p_filter ->> 'task')
    and (p_filter -> 'model' is null or 'model:' || (p_filter ->> 'model') = any (p_job.resources))
    and (p_filter -> 'agent' is null
      or coalesce(p_job.agent_id = p_filter ->> 'agent' or pg_catalog.starts_with(p_job.agent_id, p_filter ->> 'agent' || '.'), false))
    and (p_filter -> 'older_than_seconds' is null
      or coalesce(p_job.finished_at, p_job.created_at) <= p_now - (p_filter ->> 'older_than_seconds')::double precision * interval '1 second')
    and (p_filter -> 'newer_than_seconds' is null
      or coalesce(p_job.finished_at, p_job.created_at) >= p_now - (p_filter ->> 'newer_than_seconds')::double precision * interval '1 second')
    and (p_filter -> 'error' is null or interlock.error_shape(p_job.error ->> 'message') = p_filter ->> 'error')
    and (p_filter -> 'text' is null
      or pg_catalog.strpos(pg_catalog.lower(pg_catalog.concat_ws(' ', p_job.id::text, p_job.task::text, p_job.user_name::text, p_job.project::text,
        p_job.error ->> 'message', p_job.payload::text)), pg_catalog.lower(p_filter ->> 'text')) > 0)
$$;

comment on function interlock.matches_filter(interlock.jobs, jsonb, timestamptz) is
  'Whether a live job is one of those that a filter names ({user, project, task, queue, model, agent, text, error, older_than_seconds, newer_than_seconds}; its status is the caller''s to ask). The age of a job counts from when it was enqueued, of a dead letter from when it failed. text is looked for in id, task, user, project, error and payload, in either case; error is an error_shape(). Manual locks match nothing.';

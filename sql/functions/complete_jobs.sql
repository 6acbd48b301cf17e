create function interlock.complete_jobs(p_job_ids text[], p_tokens bigint[], p_results jsonb[] default null)
returns table (job_id text, accepted boolean, reason text)
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := interlock.clock();
  v_ids text[];
  v_reasons text[];
  v_freed text[];
  v_agents text[];
  v_parents text[];
begin
  if p_results is not null and cardinality(p_results) <> cardinality(p_job_ids) then
    raise exception using errcode = 'IL005', message = 'there must be as many results as jobs', column = 'results';
  end if;
  if p_results is not null then
    if exists (select from unnest(p_results) as r where pg_column_size(r) > 1048576 and octet_length(r::text) > 1048576) then
      raise exception using errcode = 'IL005', message = 'a result may have at most 1 MiB', column = 'result', hint = 'Store it elsewhere and return where it is.';
    end if;
  end if;
  select array_agg(r.job_id), array_agg(r.reason)
  into v_ids, v_reasons
  from interlock.release_held(p_job_ids, p_tokens) as r;
  if v_ids is null then
    return;
  end if;

  with finished as (
    delete from interlock.jobs as j
    using unnest(v_ids, v_reasons, coalesce(p_results, array_fill(null::jsonb, array[cardinality(v_ids)]))) as u (id, reason, result)
    where j.id = u.id
      and u.reason is null
    returning j.id, j.status, j.task, j.kind, j.user_name, j.project, j.queue, j.priority, j.resources, j.agent_id, j.token,
      j.attempt, j.created_at, j.queued_at, j.assigned_at, j.started_at, j.held, j.payload, j.has_children, u.result
  ),
  remembered as (
    insert into interlock.task_history (job_id, outcome, task, kind, user_name, project, queue, priority, resources, agent_id,
      attempts, created_at, queued_at, assigned_at, started_at, finished_at, token)
    select f.id, 'completed', f.task, f.kind, f.user_name, f.project, f.queue, f.priority, f.resources, f.agent_id,
      f.attempt, f.created_at, f.queued_at, f.assigned_at, coalesce(f.started_at, f.assigned_at), v_now, f.token
    from finished as f
  ),
  kept as (
    insert into interlock.job_results (job_id, finished_at, expires_at, payload, result)
    select f.id, v_now,
      v_now + nullif(case when f.result is null then q.finished_retention_seconds else q.result_retention_seconds end, 0) * interval '1 second',
      nullif(f.payload, '{}'), f.result
    from finished as f
    left join interlock.queues as q on q.name = f.queue
    where f.result is not null
      or f.payload <> '{}'
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id)
    select v_now, 'completed', f.id, f.kind, f.status, 'completed', f.token, f.agent_id
    from finished as f
  )
  select
    (select array_agg(h.resource) from finished as f cross join lateral unnest(f.held) as h (resource)),
    (select array_agg(f.agent_id) from finished as f),
    (select array_agg(f.id::text) from finished as f where f.has_children)
  into v_freed, v_agents, v_parents;

  if v_parents is not null then
    perform interlock.parents_ended(v_parents);
  end if;
  perform interlock.wake_and_ring(v_freed, v_agents);
  return query
  select u.id, u.reason is null, u.reason
  from unnest(v_ids, v_reasons) as u (id, reason);
end
$$;

comment on function interlock.complete_jobs(text[], bigint[], jsonb[]) is
  'The holder says that these jobs are done, with their results (JSON, at most 1 MiB each, null for none). Each moves to task_history and job_results, its slots are freed, and what waited for them is made awake; the first of the jobs that depend on them are let go (see settle_dependents()). Returns a row for each: accepted, or the reason (stale_token, job_not_found), which is no error of the others. A job may be completed before its start was confirmed.
Locks: as release_held(); then lanes that it wakes. Must be the first of its transaction (IL010). Raises IL005.';

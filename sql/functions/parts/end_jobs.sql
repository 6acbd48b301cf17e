create function interlock.end_jobs(p_job_ids text[], p_outcome text, p_now timestamptz, p_reason text, p_actor text, p_error jsonb default null)
returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_ended integer;
  v_parents text[];
begin
  with ended as (
    delete from interlock.jobs as j
    where j.id = any (p_job_ids)
    returning j.id, j.status, j.task, j.kind, j.user_name, j.project, j.queue, j.priority, j.resources, j.agent_id, j.token,
      j.attempt, j.created_at, j.queued_at, j.assigned_at, j.started_at, j.payload, j.error, j.lane_id, j.has_children
  ),
  remembered as (
    insert into interlock.task_history (job_id, outcome, task, kind, user_name, project, queue, priority, resources, agent_id,
      attempts, created_at, queued_at, assigned_at, started_at, finished_at, token, reason)
    select e.id, p_outcome, e.task, e.kind, e.user_name, e.project, e.queue, e.priority, e.resources, e.agent_id,
      e.attempt, e.created_at, e.queued_at, e.assigned_at, e.started_at, p_now, e.token, left(p_reason, 4096)
    from ended as e
  ),
  kept as (
    insert into interlock.job_results (job_id, finished_at, expires_at, payload, error)
    select e.id, p_now,
      case when q.failure_retention_seconds > 0 then p_now + q.failure_retention_seconds * interval '1 second' end,
      nullif(e.payload, '{}'), coalesce(p_error, e.error)
    from ended as e
    left join interlock.queues as q on q.name = e.queue
    where e.payload <> '{}'
      or coalesce(p_error, e.error) is not null
  ),
  touched as (
    insert into interlock.job_lane_touches (lane_id)
    select distinct e.lane_id
    from ended as e
    where e.status = 'pending'
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, actor, conflict_reason)
    select p_now, p_outcome, e.id, e.kind, e.status, p_outcome, e.token, e.agent_id, p_actor, left(p_reason, 4096)
    from ended as e
  )
  select count(*), array_agg(e.id::text) filter (where e.has_children)
  into v_ended, v_parents
  from ended as e;
  if v_parents is not null then
    insert into interlock.job_dependency_touches (parent_id)
    select unnest(v_parents);
  end if;
  return v_ended;
end
$$;

comment on function interlock.end_jobs(text[], text, timestamptz, text, text, jsonb) is
  'Ends live jobs that hold nothing (any more): cancelled, expired or deleted. They move to task_history and job_results, a lane that loses a waiting one is touched, and the event is logged. One that others depend on leaves a touch for settle_dependents(). Called with the jobs'' rows locked.';

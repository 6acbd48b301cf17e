create function interlock.move_jobs(
  p_job_ids text[], p_status text, p_run_at timestamptz, p_event text, p_now timestamptz,
  p_reason text default null, p_actor text default null, p_error jsonb default null, p_attempt_change integer default 0
) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
  -- What is noted comes from what the jobs were: a join of what they became with that, by id, is a thousand times a thousand
  -- comparisons when a thousand jobs come due at once.
  with before as materialized (
    select j.id, j.status, j.kind, j.task, j.user_name, j.project, j.queue, j.priority, j.resources, j.agent_id,
      greatest(j.attempt + p_attempt_change, 0) as attempt, j.created_at, j.queued_at, j.assigned_at, j.started_at, j.token, j.lane_id, j.has_children
    from interlock.jobs as j
    where j.id = any (p_job_ids)
  ),
  moved as (
    update interlock.jobs as j
    set status = p_status,
        run_at = coalesce(p_run_at, j.run_at),
        queued_at = case when p_status = 'pending' then coalesce(j.queued_at, p_now) else j.queued_at end,
        seniority = case when p_status = 'pending' then coalesce(j.seniority, p_now + j.priority * q.priority_step_seconds * interval '1 second') else j.seniority end,
        -- What has been started once expires no more.
        expires_at = case when p_status <> 'failed' and j.attempt + p_attempt_change <= 0 then j.expires_at end,
        finished_at = case when p_status = 'failed' then p_now end,
        attempt = greatest(j.attempt + p_attempt_change, 0),
        held = null,
        held_slots = null,
        cancel_requested_at = null,
        cancel_reason = null,
        error = coalesce(p_error, j.error)
    from interlock.queues as q
    where j.id = any (p_job_ids)
      and q.name = j.queue
  ),
  touched as (
    insert into interlock.job_lane_touches (lane_id)
    select distinct b.lane_id
    from before as b
    where p_status = 'pending'
      or b.status = 'pending'
  ),
  told as (
    insert into interlock.job_dependency_touches (parent_id)
    select b.id
    from before as b
    where p_status = 'failed'
      and b.has_children
  ),
  remembered as (
    insert into interlock.task_history (job_id, outcome, task, kind, user_name, project, queue, priority, resources, agent_id,
      attempts, created_at, queued_at, assigned_at, started_at, finished_at, token, reason)
    select b.id, 'failed', b.task, b.kind, b.user_name, b.project, b.queue, b.priority, b.resources, b.agent_id,
      b.attempt, b.created_at, b.queued_at, b.assigned_at, b.started_at, p_now, b.token, left(coalesce(p_error ->> 'message', p_reason), 4096)
    from before as b
    where p_status = 'failed'
  )
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, actor, conflict_reason, details)
  select p_now, case when p_status = 'failed' then 'failed' else p_event end, b.id, b.kind, b.status, p_status, b.token, b.agent_id, p_actor,
    left(coalesce(p_reason, p_error ->> 'message'), 4096),
    case when p_status = 'scheduled' then jsonb_build_object('run_at', p_run_at) end
  from before as b;
end
$$;

comment on function interlock.move_jobs(text[], text, timestamptz, text, timestamptz, text, text, jsonb, integer) is
  'Moves live jobs that hold nothing (any more) to another live state: pending (their seniority is set the first time, and kept ever after), scheduled, paused, or failed (which task_history notes as well, and settle_dependents() tells to those that wait for any end). Touches the lane of every job that becomes or stops being pending, and logs. Called with the jobs'' rows locked.';

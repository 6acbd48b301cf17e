create function interlock.set_priority(p_job_id text, p_priority double precision, p_actor text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_job record;
begin
  if p_priority is null or not p_priority between 0 and 3 then
    raise exception using errcode = 'IL005', message = 'priority must be a number from 0 (critical) to 3 (low)', column = 'priority';
  end if;
  v_job := interlock.lock_job(p_job_id);
  update interlock.jobs as j
  set priority = p_priority,
      seniority = j.seniority + (p_priority - j.priority) * q.priority_step_seconds * interval '1 second'
  from interlock.queues as q
  where j.id = p_job_id
    and q.name = j.queue;
  insert into interlock.job_lane_touches (lane_id)
  select v_job.lane_id
  where v_job.status = 'pending';
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, actor, details)
  values (interlock.clock(), 'reprioritised', p_job_id, v_job.kind, v_job.status, v_job.status, p_actor,
    pg_catalog.jsonb_build_object('from', v_job.priority, 'to', p_priority));
end
$$;

comment on function interlock.set_priority(text, double precision, text) is
  'Changes a job''s priority (0 critical to 3 low), and its seniority by the difference. Its queue stays. Locks the job''s row; insert-only towards the scheduler. Raises IL001, IL003, IL005.';

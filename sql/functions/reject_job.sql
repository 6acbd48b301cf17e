create function interlock.reject_job(p_job_id text, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_job interlock.jobs;
begin
  v_job := interlock.lock_job(p_job_id);
  perform interlock.refuse_decision(v_job);
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, actor, conflict_reason)
  values (v_now, 'rejected', p_job_id, v_job.kind, v_job.status, v_job.status, p_actor, pg_catalog.left(p_reason, 4096));
  perform interlock.end_jobs(array[p_job_id], 'cancelled', v_now, coalesce(p_reason, 'it was not approved'), p_actor);
  status := 'cancelled';
  return next;
end
$$;

comment on function interlock.reject_job(text, text, text) is
  'Refuses the approval that a human_required job waits for: it is cancelled, for this reason. Who and why goes into the log. Returns cancelled. Locks the job''s row. Raises IL001, IL003 where it waits for no approval.';

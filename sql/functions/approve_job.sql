create function interlock.approve_job(p_job_id text, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_job interlock.jobs;
begin
  v_job := interlock.lock_job(p_job_id);
  perform interlock.refuse_decision(v_job);
  update interlock.jobs as j
  set approved_at = interlock.clock()
  where j.id = p_job_id;
  status := interlock.end_pause(v_job, 'approved', p_reason, p_actor);
  return next;
end
$$;

comment on function interlock.approve_job(text, text, text) is
  'Approves a human_required job, which arrives paused: it waits for its turn (or its time), and agents of that level may claim it. Who and why goes into the log. Approved once, it needs no other approval, be it returned, retried or requeued. Its time to live runs while it waits for this. Returns pending or scheduled. Locks the job''s row; insert-only towards the scheduler. Raises IL001, IL003 where it waits for no approval.';

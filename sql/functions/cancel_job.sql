create function interlock.cancel_job(p_job_id text, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_job record;
begin
  v_job := interlock.lock_job(p_job_id);
  if v_job.status = 'failed' then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('job %s has failed for good and cannot be cancelled', p_job_id),
      hint = 'Requeue it, or delete it.';
  elsif v_job.held is null then
    perform interlock.end_jobs(array[p_job_id], 'cancelled', v_now, p_reason, p_actor);
    status := 'cancelled';
  else
    if v_job.cancel_requested_at is null then
      perform interlock.ask_to_stop(array[p_job_id], v_now, p_reason, p_actor);
    end if;
    status := 'cancelling';
  end if;
  return next;
end
$$;

comment on function interlock.cancel_job(text, text, text) is
  'Cancels a job. One that waits is cancelled at once (insert-only towards the scheduler: a touch of its lane). One that runs is asked to stop, its agent told; its resources stay taken until its process is confirmed gone; a manual lock is released by the next tick. Returns cancelled or cancelling. Locks the job''s row. Raises IL001, IL003 where it has ended or failed for good.';

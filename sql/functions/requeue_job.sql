create function interlock.requeue_job(p_job_id text, p_reason text default null, p_actor text default null)
returns table (status text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_job record;
begin
  v_job := interlock.lock_job(p_job_id);
  if v_job.status not in ('failed', 'scheduled') then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('job %s is %s: only one that failed, or waits for its time, can be requeued', p_job_id, v_job.status),
      hint = case when v_job.status = 'paused' then 'Start it.' else 'It needs none: look at what it waits for, or at what it does.' end;
  end if;
  if v_job.unique_key is null then
    perform interlock.requeue_jobs(array[p_job_id], v_now, p_reason, p_actor);
  else
    begin
      perform interlock.requeue_jobs(array[p_job_id], v_now, p_reason, p_actor);
    exception
      when unique_violation then
        raise exception using
          errcode = 'IL006',
          message = pg_catalog.format('another job with the unique_key of job %s is unfinished', p_job_id),
          column = 'unique_key',
          hint = 'Requeue it when that one has ended.';
    end;
  end if;
  status := 'pending';
  return next;
end
$$;

comment on function interlock.requeue_job(text, text, text) is
  'Sends a dead letter back to wait (its attempts count anew, it stands in line as of now), or makes a job that waits for its time or its retry pending at once. Returns pending. Locks the job''s row; insert-only towards the scheduler; one with a unique_key waits for an uncommitted enqueueing of the same. Raises IL001, IL003, IL006 where another job has its unique_key by now.';

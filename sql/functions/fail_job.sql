create function interlock.fail_job(p_job_id text, p_token bigint, p_error jsonb, p_retry text default 'auto')
returns table (status text, run_at timestamptz)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_release record;
  v_job record;
  v_wait integer;
  v_error jsonb := interlock.bounded_error(p_error);
begin
  if p_retry is null or p_retry not in ('auto', 'now', 'never') then
    raise exception using errcode = 'IL005', message = 'retry must be auto, now or never', column = 'retry';
  end if;
  select r.reason, r.held into v_release from interlock.release_held(array[p_job_id], array[p_token]) as r;
  perform interlock.refuse_holder(p_job_id, p_token, v_release.reason);

  select j.attempt, j.max_attempts, j.agent_id, j.cancel_requested_at, j.cancel_reason, j.queue, j.retry_delays_seconds, q.retry_delays_seconds as queue_delays, q.retries_per_minute
  into v_job
  from interlock.jobs as j
  join interlock.queues as q on q.name = j.queue
  where j.id = p_job_id
  for no key update of j;
  if v_job.cancel_requested_at is not null then
    -- Asked to stop, it failed instead: it is gone either way, and is not tried again.
    perform interlock.end_jobs(array[p_job_id], 'cancelled', v_now, v_job.cancel_reason, null, v_error);
    perform interlock.wake_and_ring(v_release.held, array[v_job.agent_id]);
    status := 'cancelled';
    return next;
    return;
  end if;
  status := 'failed';
  if p_retry <> 'never' and v_job.attempt < v_job.max_attempts then
    v_wait := case when p_retry = 'auto' then interlock.retry_wait(v_job.attempt, v_job.retry_delays_seconds, v_job.queue_delays) else 0 end;
    run_at := case when v_wait > 0 or v_job.retries_per_minute is not null then interlock.retry_at(v_job.queue, v_wait, v_now) else v_now end;
    status := case when run_at > v_now then 'scheduled' else 'pending' end;
  end if;
  perform interlock.move_jobs(array[p_job_id], status, run_at, 'retried', v_now, null, null, v_error);
  perform interlock.wake_and_ring(v_release.held, array[v_job.agent_id]);
  return next;
end
$$;

comment on function interlock.fail_job(text, bigint, jsonb, text) is
  'The holder says that this attempt failed, with an error ({message, code, stack, exit_code, ...}, cut at 16 KiB). retry: auto (after the next of the job''s or queue''s waits, see retry_at()), now, never. Returns what the job is now: scheduled or pending for another attempt, failed for good (the dead letter), or cancelled if that had been asked for.
Locks: as release_held(); the job''s row; the queue''s row where it has a budget of retries; then lanes that it wakes. Must be the first of its transaction (IL010). Raises IL001, IL002, IL005.';

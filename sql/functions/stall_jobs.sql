create function interlock.stall_jobs(p_limit integer default 1000) returns integer
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_sign record;
  v_job record;
  v_stalled integer := 0;
begin
  for v_sign in
    select g.job_id, g.token, g.heartbeat_seconds, g.stalled_at, g.last_sign_at
    from interlock.job_signs as g
    where g.due_at <= v_now
    order by g.due_at
    limit interlock.row_limit(p_limit)
    for no key update skip locked
  loop
    select j.kind, j.agent_id, j.cancel_requested_at
    into v_job
    from interlock.jobs as j
    where j.id = v_sign.job_id
      and j.token = v_sign.token
      and j.status = 'running';
    if not found then
      delete from interlock.job_signs as g
      where g.job_id = v_sign.job_id;
      continue;
    end if;
    -- Looked at again as long as its claim lasts, so that an agent which did not hear is told once more, and the row goes at last.
    update interlock.job_signs as g
    set due_at = v_now + interval '30 seconds',
        stalled_at = case when v_job.cancel_requested_at is null then coalesce(g.stalled_at, v_now) else g.stalled_at end
    where g.job_id = v_sign.job_id;
    continue when v_job.cancel_requested_at is not null;
    perform pg_catalog.pg_notify('interlock_agent', v_job.agent_id);
    continue when v_sign.stalled_at is not null;
    v_stalled := v_stalled + 1;
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, conflict_reason, details)
    values (v_now, 'stalled', v_sign.job_id, v_job.kind, 'running', 'running', v_sign.token, v_job.agent_id,
      pg_catalog.format('no sign of life for %s s', v_sign.heartbeat_seconds), pg_catalog.jsonb_build_object('last_sign_at', v_sign.last_sign_at));
  end loop;
  return v_stalled;
end
$$;

comment on function interlock.stall_jobs(integer) is
  'Finds running jobs that have given no sign of life (progress, output, heartbeat_job()) for their heartbeat_seconds. Each is marked as stalled and logged, once, and its agent told: the answer to its next heartbeat is to stop it, as for a timeout, and the attempt then fails by fail_job(). Its resources stay taken until then: the process may still be at work. Returns how many. Locks the rows of signs, SKIP LOCKED. Run by the tick.';

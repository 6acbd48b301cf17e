create function interlock.give_agent_up(p_agent_id text, p_reason text, p_event text, p_if_lost_at timestamptz)
returns table (jobs_moved integer, reason text)
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_agent interlock.agent_stats;
  v_locked text[];
  v_ids text[];
  v_freed text[];
  v_cancelled text[];
  v_dead text[];
  v_back text[];
  v_again record;
begin
  jobs_moved := 0;
  perform interlock.refuse_locks_agent(p_agent_id);
  perform interlock.lock_limits();
  v_locked := array(
    select distinct h.resource
    from interlock.jobs as j
    cross join lateral unnest(j.held) as h (resource)
    where j.agent_id = p_agent_id
      and j.held is not null
  );
  perform interlock.lock_resources(v_locked);
  select a.* into v_agent
  from interlock.agent_stats as a
  where a.id = p_agent_id
  for no key update;
  if not found or v_agent.state = 'gone' then
    return next;
    return;
  end if;
  reason := coalesce(p_reason, interlock.why_lost(v_agent, v_now));
  if reason is null then
    return next;
    return;
  end if;

  -- Under the agent's row nothing more is claimed for it; what was, between the look and the locks, has resources not locked here.
  select coalesce(array_agg(j.id), '{}'),
    coalesce(array_agg(j.id) filter (where j.cancel_requested_at is not null), '{}'),
    coalesce(array_agg(j.id) filter (where j.cancel_requested_at is null and p_event = 'lost' and j.attempt >= j.max_attempts), '{}'),
    coalesce(array_agg(j.id) filter (where j.cancel_requested_at is null and not (p_event = 'lost' and j.attempt >= j.max_attempts)), '{}')
  into v_ids, v_cancelled, v_dead, v_back
  from (
    select x.id, x.cancel_requested_at, x.attempt, x.max_attempts
    from interlock.jobs as x
    where x.agent_id = p_agent_id
      and x.held is not null
    order by x.id
    for no key update
  ) as j;
  if exists (select from interlock.jobs as j where j.id = any (v_ids) and not j.held <@ v_locked) then
    raise exception using errcode = '40001', message = format('agent %s was given a job meanwhile: try again', p_agent_id);
  end if;

  with freed as (
    update interlock.job_queue_state as s
    set active_job_id = null,
        active_job_type = null,
        active_models = null
    where s.resource = any (v_locked)
      and s.active_job_id = any (v_ids)
    returning s.resource
  )
  select array_agg(f.resource) into v_freed from freed as f;
  update interlock.agent_stats as a
  set state = 'gone',
      active_jobs = 0,
      ended_at = v_now,
      end_reason = reason,
      unlisted_job_ids = null,
      unlisted_tokens = null
  where a.id = p_agent_id;
  perform interlock.end_jobs(v_cancelled, 'cancelled', v_now, 'its agent ended: ' || reason, null);
  perform interlock.move_jobs(v_dead, 'failed', null,
    p_event, v_now, null, null, jsonb_build_object('message', 'its agent was lost at its last attempt: ' || reason, 'code', 'agent_lost', 'agent_id', p_agent_id));
  -- What was lost before waits now, as what has failed does. At once again, a job that kills its agent would take the next
  -- agents one after the other, and always with the same others at its side, until they are all at their last attempt.
  if p_event = 'lost' then
    for v_again in
      select j.id, j.queue, interlock.retry_wait(j.attempt, j.retry_delays_seconds, q.retry_delays_seconds) as wait
      from interlock.jobs as j
      join interlock.queues as q on q.name = j.queue
      where j.id = any (v_back)
        and j.attempt > 1
      order by j.queue collate "C", j.id
    loop
      continue when v_again.wait = 0;
      perform interlock.move_jobs(array[v_again.id], 'scheduled', interlock.retry_at(v_again.queue, v_again.wait, v_now), p_event, v_now, reason);
      v_back := array_remove(v_back, v_again.id);
    end loop;
  end if;
  perform interlock.move_jobs(v_back, 'pending', null,
    p_event, v_now, reason, null, null, case when p_event = 'lost' then 0 else -1 end);
  insert into interlock.job_queue_log (created_at, event_type, agent_id, conflict_reason, details)
  values (v_now, 'agent_gone', p_agent_id, reason, jsonb_build_object('jobs', cardinality(v_ids)));
  perform interlock.wake_and_ring(v_freed);
  perform interlock.ring(array(select j.queue || '/' || j.permission_level from interlock.jobs as j where j.id = any (v_back)));
  jobs_moved := cardinality(v_ids);
  return next;
end
$$;

comment on function interlock.give_agent_up(text, text, text, timestamptz) is
  'Ends an incarnation and takes its jobs back: those asked to stop are cancelled; after a loss (p_event lost) those at their last attempt fail for good; the others are pending again, or after a second attempt scheduled for a third after their wait. Without a reason it is given up only if why_lost() still has one under the locks.
Locks: limits, shared; all that its jobs hold, waiting, by lock key; the agent''s row; its jobs'' rows, by id; queues that have a budget of retries; then lanes that it wakes. Raises IL008 for the agent of manual locks, 40001 where it was given a job between the look and the locks: try again.';

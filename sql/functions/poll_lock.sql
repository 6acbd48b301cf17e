create function interlock.poll_lock(p_lock_id text, p_owner text)
returns table (state text, token bigint, fences jsonb, lease_until timestamptz, reason text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_lock record;
  v_is_locked boolean := false;
begin
  loop
    select j.status, j.kind, j.user_name, j.token, j.held, j.lease_until, j.cancel_requested_at, j.cancel_reason, j.agent_id,
      (j.payload ->> 'wait_seconds')::integer * interval '1 second' as wait, j.timeout_seconds * interval '1 second' as lease
    into v_lock
    from interlock.jobs as j
    where j.id = p_lock_id
      and j.queue = 'locks';
    if not found then
      select t.outcome || coalesce(': ' || t.reason, '')
      into reason
      from interlock.task_history as t
      where t.job_id = p_lock_id
        and t.queue = 'locks'
      order by t.finished_at desc
      limit 1;
      if not found then
        raise exception using errcode = 'IL001', message = pg_catalog.format('lock %s does not exist', p_lock_id), column = 'lock_id';
      end if;
      state := 'ended';
      return next;
      return;
    elsif v_lock.user_name is distinct from p_owner then
      raise exception using errcode = 'IL009', message = pg_catalog.format('lock %s is not one of %s', p_lock_id, coalesce(p_owner, 'nobody')), column = 'owner';
    end if;
    -- Asked ten times a second, it writes only where there is something to write.
    exit when v_is_locked
      or v_lock.status in ('running', 'failed')
      or (v_lock.status = 'pending' and v_lock.lease_until > v_now + v_lock.wait / 2);
    perform from interlock.jobs as j where j.id = p_lock_id for no key update;
    v_is_locked := true;
  end loop;

  if v_lock.cancel_requested_at is not null or (v_lock.status = 'running' and v_lock.lease_until <= v_now) then
    state := 'ended';
    reason := coalesce(v_lock.cancel_reason, 'its lease ended');
  elsif v_lock.status = 'failed' then
    state := 'ended';
    reason := 'failed';
  elsif v_lock.held is null then
    state := 'waiting';
    if v_is_locked then
      v_lock.lease_until := v_now + v_lock.wait;
      update interlock.jobs as j
      set lease_until = v_lock.lease_until
      where j.id = p_lock_id;
    end if;
    lease_until := v_lock.lease_until;
  else
    state := 'held';
    token := v_lock.token;
    fences := interlock.fences(pg_catalog.array_remove(v_lock.held, interlock.own_resource(p_lock_id)), v_lock.token);
    lease_until := v_lock.lease_until;
    if v_lock.status = 'assigned' then
      lease_until := v_now + v_lock.lease;
      update interlock.jobs as j
      set status = 'running',
          started_at = v_now,
          lease_until = poll_lock.lease_until
      where j.id = p_lock_id;
      insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id)
      values (v_now, 'started', p_lock_id, v_lock.kind, 'assigned', 'running', v_lock.token, v_lock.agent_id);
    end if;
  end if;
  return next;
end
$$;

comment on function interlock.poll_lock(text, text) is
  'The owner of a manual lock asks whether it has it. Returns its state: waiting (the time until when it stays in line unasked is moved on); held, with its token, the fence of each resource and until when its lease is (which begins when this says held for the first time, and is moved on by extend_lock() only); or ended, with the reason. Locks the lock''s row where it writes. Raises IL001, IL009 where it is another owner''s.';

create function interlock.resume_request(p_request_id text) returns text
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_request record;
  v_lock record;
  v_job record;
  v_goes_on boolean;
  v_moved integer;
begin
  select m.id, m.state, m.job_id, m.token, m.given_back, m.companion_id, m.resumed_at
  into v_request
  from interlock.job_messages as m
  where m.id = p_request_id
    and m.kind = 'request';
  if not found then
    raise exception using errcode = 'IL001', message = format('request %s does not exist', coalesce(p_request_id, 'null')), column = 'request_id';
  elsif v_request.given_back is null or v_request.resumed_at is not null then
    return 'resumed';
  elsif v_request.state = 'open' then
    return 'open';
  end if;
  select j.agent_id
  into v_job
  from interlock.jobs as j
  where j.id = v_request.job_id
    and j.token = v_request.token
    and j.held is not null;
  v_goes_on := found;
  select j.id, j.token, j.held, j.held_slots, j.agent_id
  into v_lock
  from interlock.jobs as j
  where j.id = v_request.companion_id
    and j.status <> 'failed';

  if v_lock.held is null then
    -- It waits still; or somebody has taken it out of the line, or its grant from it.
    if v_goes_on and v_lock.id is not null then
      return 'waiting';
    end if;
    if v_lock.id is not null then
      perform from interlock.jobs as j where j.id = v_lock.id and j.held is null for no key update;
      if not found then
        raise exception using errcode = '40001', message = format('request %s was granted what it waits for meanwhile: try again', p_request_id);
      end if;
      perform interlock.end_jobs(array[v_lock.id], 'cancelled', v_now, 'the job that it stood in line for has ended', null);
      perform interlock.ring(array['locks/autonomous']);
    end if;
    perform
    from interlock.job_messages as m
    where m.id = p_request_id
      and m.resumed_at is null
      and m.companion_id is not distinct from v_request.companion_id
    for no key update;
    if not found then
      raise exception using errcode = '40001', message = format('request %s was taken on by another meanwhile: try again', p_request_id);
    elsif v_goes_on then
      perform interlock.retake(p_request_id, v_now);
      return 'waiting';
    end if;
    update interlock.job_messages as m set resumed_at = v_now where m.id = p_request_id;
    return 'over';
  end if;

  perform interlock.lock_limits();
  perform interlock.lock_resources(v_lock.held);
  perform
  from interlock.agent_stats as a
  where a.id in (v_lock.agent_id, v_job.agent_id)
  order by a.id
  for no key update;
  perform
  from interlock.jobs as j
  where j.id in (v_lock.id, v_request.job_id)
  order by j.id
  for no key update;
  perform
  from interlock.job_messages as m
  where m.id = p_request_id
    and m.companion_id = v_lock.id
    and m.resumed_at is null
  for no key update;
  if not found or not exists (select from interlock.jobs as j where j.id = v_lock.id and j.token = v_lock.token and j.held = v_lock.held) then
    raise exception using errcode = '40001', message = format('request %s was taken on by another meanwhile: try again', p_request_id);
  end if;
  select j.id, j.kind, j.status, j.token, j.agent_id, j.held, j.held_slots, j.resources,
    -- A limit that came after the companion went into the line is not among what it was granted: all or nothing.
    interlock.missing_resources(j.queue || '/' || j.permission_level, j.task, j.resources, j.held || v_lock.held) = '{}' as is_whole
  into v_job
  from interlock.jobs as j
  where j.id = v_request.job_id
    and j.token = v_request.token
    and j.held is not null;
  v_goes_on := found and v_job.is_whole;

  update interlock.job_queue_state as s
  set active_job_id = case when v_goes_on and s.resource <> interlock.own_resource(v_lock.id) then v_job.id end,
      active_job_type = case when v_goes_on and s.resource <> interlock.own_resource(v_lock.id) then v_job.kind end,
      active_models = case when v_goes_on and s.resource <> interlock.own_resource(v_lock.id)
        then array(select substr(r, 7) from unnest(v_job.resources) as r where r like 'model:%') end
  where s.resource = any (v_lock.held)
    and s.active_job_id = v_lock.id;
  get diagnostics v_moved = row_count;
  if v_moved <> cardinality(v_lock.held) then
    raise exception using
      errcode = 'XX000',
      message = format('interlock: %s of %s slots could be handed over', v_moved, cardinality(v_lock.held)),
      hint = 'This is a defect: nothing was changed. Look at interlock.violations.';
  end if;
  update interlock.agent_stats as a
  set active_jobs = greatest(a.active_jobs - 1, 0)
  where a.id = v_lock.agent_id;
  perform interlock.end_jobs(array[v_lock.id], case when v_goes_on then 'completed' else 'cancelled' end, v_now,
    case when v_job.id is null then 'the job that it stood in line for has ended' when not v_goes_on then 'the job needs more by now' end, null);
  if not v_goes_on then
    if v_job.id is null then
      update interlock.job_messages as m set resumed_at = v_now where m.id = p_request_id;
    else
      perform interlock.retake(p_request_id, v_now);
    end if;
    perform interlock.wake_and_ring(array_remove(v_lock.held, interlock.own_resource(v_lock.id)));
    return case when v_job.id is null then 'over' else 'waiting' end;
  end if;

  update interlock.jobs as j
  set held = k.resources,
      held_slots = k.slots
  from (
    select array_agg(h.resource order by interlock.resource_order(h.resource), h.resource collate "C") as resources,
      array_agg(h.slot order by interlock.resource_order(h.resource), h.resource collate "C") as slots
    from (
      select o.resource, o.slot from unnest(v_job.held, v_job.held_slots) as o (resource, slot)
      union all
      select n.resource, n.slot from unnest(v_lock.held, v_lock.held_slots) as n (resource, slot) where n.resource <> interlock.own_resource(v_lock.id)
    ) as h
  ) as k
  where j.id = v_job.id;
  update interlock.job_messages as m
  set resumed_at = v_now,
      resume_fence = v_lock.token
  where m.id = p_request_id;
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, resources, details)
  values (v_now, 'resumed', v_job.id, v_job.kind, v_job.status, v_job.status, v_job.token, v_job.agent_id,
    array_remove(v_lock.held, interlock.own_resource(v_lock.id)), jsonb_build_object('request_id', p_request_id, 'fence', v_lock.token));
  return 'resumed';
end
$$;

comment on function interlock.resume_request(text) is
  'Brings a job that gave back resources for a question, and has its answer or was left without one, to hold them again. A companion waits in line for them (retake()); once it was granted all, this hands its slots over to the job, which holds them from then on under the fence of that grant, higher than its token and than whatever they were granted under meanwhile; the companion ends. Where the job is gone by then, the companion leaves the line, or its slots are freed. Where somebody released the companion by force, or a limit came that it did not stand in line for, another is sent. Returns open, waiting, resumed, or over (its claim has ended).
Locks: where the companion was granted: limits, shared; what it holds, waiting, by lock key; the rows of its agent and of the job''s, by id; the two jobs'' rows, by id; the request''s row, which whoever answers or expires it holds without waiting for anything after it; then lanes that it wakes; and it must be the first of its transaction (IL010). Where the companion waits: its row, the request''s row. Every verb that changes who holds what locks the resources or the holder''s agent first, so from its second look on neither the job nor the companion changes hands, and a slot is never without the one holder or the other. Raises IL001, 40001 where things moved between the look and the locks: try again. Run by the tick, and by whoever waits for the answer.';

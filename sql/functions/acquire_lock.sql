create function interlock.acquire_lock(
  p_resources text[], p_owner text, p_lease_seconds integer default 60, p_wait_seconds integer default 30,
  p_priority double precision default 2, p_reason text default null, p_actor text default null, p_key text default null
) returns table (lock_id text, status text, repeated boolean)
language plpgsql
set search_path = ''
as $$
declare
  c_task constant text := 'lock';
  c_route constant text := 'locks/autonomous';
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_resources text[];
  v_known text[];
begin
  select w.field, w.problem
  into v_wrong
  from (
    select 'resources' as field, 'resources must be 1 to 31 resources' as problem
    where coalesce(cardinality(p_resources), 0) not between 1 and 31
    union all
    select 'resources', format('%s is not a resource: it takes kind:value', coalesce(u.resource, 'null'))
    from unnest(p_resources) as u (resource)
    where interlock.is_resource_name(u.resource) is not true
    union all
    select 'owner', 'owner must be 1 to 200 characters, without control characters'
    where p_owner is null or length(p_owner) not between 1 and 200 or p_owner ~ '[[:cntrl:]]'
    union all
    select 'lease_seconds', 'lease_seconds must be 1 to 86400' where p_lease_seconds is null or p_lease_seconds not between 1 and 86400
    union all
    select 'wait_seconds', 'wait_seconds must be 1 to 86400' where p_wait_seconds is null or p_wait_seconds not between 1 and 86400
    union all
    select 'priority', 'priority must be a number from 0 to 3' where p_priority is null or not p_priority between 0 and 3
    union all
    select 'reason', 'reason may have at most 4096 characters' where length(p_reason) > 4096
  ) as w
  limit 1;
  if found then
    raise exception using errcode = 'IL005', message = v_wrong.problem, column = v_wrong.field;
  end if;

  if p_key is not null then
    v_known := interlock.remember_key(p_key, sha256(convert_to(jsonb_build_array('lock',
      to_jsonb(array(select distinct u.resource collate "C" as resource from unnest(p_resources) as u (resource) order by resource)),
      p_owner, p_lease_seconds, p_priority, p_reason)::text, 'UTF8')));
    if v_known is not null then
      return query
      select v_known[1], coalesce(j.status, t.outcome, 'deleted'), true
      from (values (1)) as one
      left join interlock.jobs as j on j.id = v_known[1]
      left join lateral (select h.outcome from interlock.task_history as h where h.job_id = v_known[1] limit 1) as t on true;
      return;
    end if;
  end if;

  -- An id of a caller's own may look like the next number: then the one after it.
  while lock_id is null loop
    lock_id := interlock.sortable_id(nextval('interlock.job_numbers'));
    v_resources := array(
      select u.resource
      from unnest(p_resources || interlock.own_resource(lock_id)) as u (resource)
      group by u.resource
      order by interlock.resource_order(u.resource), u.resource collate "C"
    );
    insert into interlock.jobs (id, status, task, kind, user_name, queue, priority, resources, max_attempts, created_at, queued_at,
      timeout_seconds, seniority, lane_id, lease_until, payload)
    select lock_id, 'pending', c_task, 'lock', p_owner, q.name, p_priority, v_resources, q.max_attempts, v_now, v_now,
      p_lease_seconds, v_now + p_priority * q.priority_step_seconds * interval '1 second',
      interlock.lane_id(c_route, c_task, v_resources), v_now + p_wait_seconds * interval '1 second',
      jsonb_strip_nulls(jsonb_build_object('wait_seconds', p_wait_seconds, 'reason', p_reason))
    from interlock.queues as q
    where q.name = 'locks'
    on conflict (id) do nothing
    returning jobs.id into lock_id;
  end loop;
  insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, to_status, actor, conflict_reason, queue)
  values (v_now, 'enqueued', lock_id, 'lock', 'pending', coalesce(p_actor, p_owner), p_reason, 'locks');
  insert into interlock.job_lane_touches (lane_id)
  values (interlock.lane_id(c_route, c_task, v_resources));
  perform interlock.ring(array[c_route]);
  if p_key is not null then
    update interlock.idempotency_keys as k
    set job_ids = array[lock_id]
    where k.key = p_key;
  end if;
  status := 'pending';
  repeated := false;
  return next;
end
$$;

comment on function interlock.acquire_lock(text[], text, integer, integer, double precision, text, text, text) is
  'Asks for a manual lock of resources (kind:value, at most 31), all or none, for an owner: it waits in the same lines as jobs, by the same rules. It is granted when poll_lock() says so: whoever asks has to poll, because it is taken to be given up p_wait_seconds after it was last polled (or asked for), waiting or granted. Held, it ends p_lease_seconds after it was last extended. Returns its id and the state pending. With a key of the caller''s own it is asked for once (see enqueue_once()): asked again with it, this returns the same lock with the state that it has by now, and repeated; one that has ended is not asked for anew.
Insert-only towards the scheduler, as enqueue_jobs(): it waits for nobody and fits into any transaction. A coordinator grants it; without one, absorb_touches() and claim_jobs(locks_agent()) do. Locks the key, if there is one. Raises IL005 invalid_argument with the field as COLUMN, IL006 idempotency_conflict where the key was used for another request.';

create function interlock.register_agent(
  p_name text, p_queues text[], p_slots integer, p_tasks text[] default null, p_permission_levels text[] default '{autonomous}',
  p_host text default null, p_pid integer default null, p_lease_seconds integer default 15, p_liveness text default 'lease', p_polls boolean default false,
  p_key text default null
) returns table (agent_id text, incarnation integer, lease_until timestamptz, lock_class integer, repeated boolean)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_suspended_at timestamptz;
  v_known text[];
begin
  select w.field, w.problem, w.code
  into v_wrong
  from (
    select 'name' as field, 'name must be 1 to 63 letters, digits and . _ -' as problem, 'IL005' as code
    where p_name is null or p_name !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'
    union all
    select 'name', 'locks is the name of who holds manual locks', 'IL005' where p_name = 'locks'
    union all
    select 'queues', 'queue locks is served by nobody: manual locks wait in it', 'IL005' where 'locks' = any (p_queues)
    union all
    select 'queues', 'queues must name 1 to 100 queues', 'IL005' where coalesce(cardinality(p_queues), 0) not between 1 and 100
    union all
    select 'queues', format('queue %s does not exist', coalesce(u.name, 'null')), 'IL012'
    from unnest(p_queues) as u (name)
    where not exists (select from interlock.queues as q where q.name = u.name)
    union all
    select 'tasks', format('queue %s has the task %s, which this agent does not know', q.name, t.task), 'IL011'
    from interlock.queues as q
    cross join lateral unnest(q.tasks) as t (task)
    where q.name = any (p_queues)
      and t.task <> all (p_tasks)
    union all
    select 'slots', 'slots must be 1 to 10000', 'IL005' where p_slots is null or p_slots not between 1 and 10000
    union all
    select 'permission_levels', 'permission_levels must be some of autonomous, supervised, human_required', 'IL005'
    where coalesce(cardinality(p_permission_levels), 0) not between 1 and 3
      or not p_permission_levels <@ array['autonomous', 'supervised', 'human_required']
    union all
    select 'lease_seconds', 'lease_seconds must be 1 to 3600', 'IL005' where p_lease_seconds is null or p_lease_seconds not between 1 and 3600
    union all
    select 'liveness', 'liveness must be connection or lease', 'IL005' where p_liveness is null or p_liveness not in ('connection', 'lease')
  ) as w
  limit 1;
  if found then
    raise exception using errcode = v_wrong.code, message = v_wrong.problem, column = v_wrong.field;
  end if;

  lock_class := interlock.agent_lock_class();
  if p_key is not null then
    v_known := interlock.remember_key(p_key, sha256(convert_to(jsonb_build_array('agent', p_name, p_queues, p_slots, p_tasks, p_permission_levels,
      p_host, p_pid, p_lease_seconds, p_liveness, p_polls)::text, 'UTF8')));
    if v_known is not null then
      select a.id, a.incarnation, a.lease_until, true
      into agent_id, register_agent.incarnation, register_agent.lease_until, repeated
      from interlock.agent_stats as a
      where a.id = v_known[1]
        and a.state <> 'gone'
        and a.lease_until > v_now;
      if not found then
        raise exception using
          errcode = 'IL004',
          message = format('agent %s, which this idempotency_key registered, is over', v_known[1]),
          column = 'idempotency_key',
          hint = 'A key is for repeating one and the same request: register anew with another one.';
      end if;
      return next;
      return;
    end if;
  end if;

  -- One registration of a name at a time: the next one is to see this one, and supersede it.
  perform pg_advisory_xact_lock(interlock.lock_key('agent ' || p_name));
  -- A former incarnation of the name may not extend its lease any more. Its jobs go back once its processes have had the
  -- time to be killed, not now: its keeper needs it.
  with superseded as (
    update interlock.agent_stats as a
    set state = 'draining',
        lease_until = least(a.lease_until, v_now),
        end_reason = 'superseded'
    where a.name = p_name
      and a.state <> 'gone'
    returning a.id
  )
  insert into interlock.job_queue_log (created_at, event_type, agent_id, conflict_reason)
  select v_now, 'agent_draining', s.id, 'superseded by a new incarnation'
  from superseded as s;
  -- Only now: the update has waited for whoever was suspending or resuming the former one.
  select a.suspended_at into v_suspended_at from interlock.agent_stats as a where a.name = p_name order by a.incarnation desc limit 1;

  incarnation := nextval('interlock.incarnations');
  agent_id := p_name || '.' || incarnation;
  lease_until := v_now + p_lease_seconds * interval '1 second';
  insert into interlock.agent_stats (id, state, name, incarnation, host, pid, queues, permission_levels, routes, tasks, slots, slots_open,
    liveness, lease_seconds, lease_until, registered_at, last_heartbeat_at, suspended_at, listens_until, server_started_at)
  values (agent_id, case when v_suspended_at is null then 'active' else 'suspended' end, p_name, incarnation, p_host, p_pid, p_queues, p_permission_levels,
    array(select distinct q || '/' || l from unnest(p_queues) as q cross join unnest(p_permission_levels) as l order by 1),
    p_tasks, p_slots, p_slots, p_liveness, p_lease_seconds, lease_until, v_now, v_now, v_suspended_at, case when p_polls then v_now end,
    pg_postmaster_start_time());
  insert into interlock.lane_floors (route, rank, below, but, raised_at, server_started_at)
  select distinct q || '/' || l, '-infinity'::timestamptz, '0'::xid8, '{}'::xid8[], '-infinity'::timestamptz, pg_postmaster_start_time()
  from unnest(p_queues) as q
  cross join unnest(p_permission_levels) as l
  where not exists (select from interlock.lane_floors as f where f.route = q || '/' || l);
  insert into interlock.job_queue_log (created_at, event_type, agent_id, details)
  values (v_now, 'agent_registered', agent_id,
    jsonb_build_object('host', p_host, 'pid', p_pid, 'queues', p_queues, 'slots', p_slots, 'liveness', p_liveness));
  if p_key is not null then
    update interlock.idempotency_keys as k
    set job_ids = array[agent_id]
    where k.key = p_key;
  end if;
  repeated := false;
  return next;
end
$$;

comment on function interlock.register_agent(text, text[], integer, text[], text[], text, integer, integer, text, boolean, text) is
  'Registers a new incarnation of an agent: the queues and permission levels that it serves, how many jobs it runs at once, the tasks that it knows (null: any). A former incarnation of the same name is superseded: it can claim and extend nothing, and its jobs go back when its processes have had the time to be killed. With liveness connection the caller then holds pg_advisory_lock(lock_class, incarnation) on a connection of its own: when that is gone for 3 seconds, so is the agent. With p_polls it asks for work by calls that wait, and is given none while it does not (listen_agent()). One whose name was suspended is so from the start. With a key of the caller''s own it registers once (see enqueue_once()): asked again with it, it answers with the same incarnation, and repeated, and supersedes nobody. Locks: the key, if there is one; the name (key agent NAME), so that two at once supersede each other in turn; the former incarnations'' rows. Raises IL004 agent_not_active where the one that the key registered is over, IL005, IL006 idempotency_conflict where the key was used for another request, IL011 unknown_task, IL012 queue_not_found.';

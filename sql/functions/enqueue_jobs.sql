create function interlock.enqueue_jobs(p_jobs jsonb, p_actor text default null)
returns table (ordinal integer, job_id text, status text, is_duplicate boolean)
language plpgsql
set search_path = ''
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_many boolean;
  v_known jsonb := '{}';
  v_asks_more boolean;
  v_limits text[];
  v_inserted integer;
  v_ordinals bigint[];
  v_ids text[];
  v_statuses text[];
  v_routes text[];
  v_deferred integer[];
begin
  if p_jobs is null or jsonb_typeof(p_jobs) <> 'array' or jsonb_array_length(p_jobs) not between 1 and 10000 then
    raise exception using errcode = 'IL005', message = 'jobs must be an array of 1 to 10,000 jobs', column = 'jobs';
  end if;
  v_many := jsonb_array_length(p_jobs) > 1;
  v_asks_more := jsonb_path_exists(p_jobs, '$[*] ? (exists (@.work_order) || exists (@.unique_key))');
  if v_asks_more then
    p_jobs := interlock.expand_work_orders(p_jobs);
  end if;

  -- Everything that can be wrong is named before anything is written: the first wrong field of the first wrong job. Asked
  -- in two steps: to set up the second, with all that can be wrong, costs a third of what a lone everyday job does.
  if exists (select from jsonb_array_elements(p_jobs) as e (job) where not interlock.is_everyday_job(e.job)) then
    select e.ordinal, w.field, w.problem, w.code
    into v_wrong
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    cross join lateral interlock.wrong_field(e.job) as w
    where not interlock.is_everyday_job(e.job)
    order by e.ordinal
    limit 1;
    if found then
      raise exception using
        errcode = v_wrong.code,
        message = format('%s%s', case when v_many then format('jobs[%s]: ', v_wrong.ordinal - 1) else '' end, v_wrong.problem),
        column = case when v_many then format('jobs[%s].%s', v_wrong.ordinal - 1, v_wrong.field) else v_wrong.field end;
    end if;
  end if;

  if v_asks_more then
    v_known := interlock.settle_keys(p_jobs, p_actor);
  end if;
  if exists (select from interlock.backlog_limits) then
    v_limits := interlock.make_room(p_jobs, v_known, p_actor);
  end if;
  if jsonb_path_exists(p_jobs, '$[*].depends_on') then
    v_deferred := interlock.check_dependencies(p_jobs, v_known);
  end if;

  with given as materialized (
    select
      e.ordinal::integer as ordinal,
      e.job,
      coalesce(e.job ->> 'id', interlock.sortable_id(nextval('interlock.job_numbers'))) as id,
      interlock.priority_number(e.job -> 'priority') as priority,
      coalesce(e.job ->> 'permission_level', 'autonomous') as permission_level,
      case
        when e.job ? 'delay_seconds' then v_now + (e.job ->> 'delay_seconds')::double precision * interval '1 second'
        else (e.job ->> 'run_at')::timestamptz
      end as run_at,
      interlock.job_resources(e.job) as resources
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    where not v_known ? e.ordinal::text
  ),
  routed as materialized (
    select g.ordinal, g.job, g.id, g.priority, g.permission_level, g.run_at, g.resources, q.name as queue,
      q.priority_step_seconds, q.ttl_seconds, q.timeout_seconds, q.max_attempts, q.heartbeat_seconds,
      case
        when g.ordinal = any (v_deferred) then 'deferred'
        when g.job -> 'start' = 'false' or (g.permission_level = 'human_required' and not g.job ? 'approved_by') then 'paused'
        when g.run_at > v_now then 'scheduled'
        else 'pending'
      end as status,
      coalesce((g.job ->> 'ttl_seconds')::double precision, q.ttl_seconds) as ttl
    from given as g
    join interlock.queues as q on q.name = coalesce(g.job ->> 'queue', interlock.queue_of_priority(g.priority))
  ),
  enqueued as (
    insert into interlock.jobs (id, status, task, kind, user_name, project, queue, permission_level, priority, resources,
      max_attempts, created_at, run_at, queued_at, expires_at, timeout_seconds, retry_delays_seconds, seniority, lane_id, approved_at, payload,
      unique_key, heartbeat_seconds, is_counted)
    select r.id, r.status, r.job ->> 'task', coalesce(r.job ->> 'kind', 'normal'), r.job ->> 'user', r.job ->> 'project',
      r.queue, r.permission_level, r.priority, r.resources,
      coalesce((r.job ->> 'max_attempts')::integer, r.max_attempts),
      v_now,
      case when r.status in ('scheduled', 'paused') or (r.status = 'deferred' and r.run_at > v_now) then r.run_at end,
      case when r.status = 'pending' then v_now end,
      case when r.ttl > 0 and r.status <> 'deferred' then greatest(v_now, coalesce(r.run_at, v_now)) + r.ttl * interval '1 second' end,
      coalesce((r.job ->> 'timeout_seconds')::integer, r.timeout_seconds),
      case when r.job ? 'retry_delays_seconds' then interlock.retry_delays(r.job -> 'retry_delays_seconds') end,
      -- One instant for the whole batch, and a microsecond for each place in it: first in, first out, whatever their ids are.
      case when r.status = 'pending' then v_now + (r.priority * r.priority_step_seconds + (r.ordinal - 1) * 1e-6) * interval '1 second' end,
      interlock.lane_id(r.queue || '/' || r.permission_level, r.job ->> 'task', r.resources),
      case when r.job ? 'approved_by' then v_now end,
      coalesce(r.job -> 'payload', '{}'),
      r.job ->> 'unique_key',
      nullif(coalesce((r.job ->> 'heartbeat_seconds')::integer, r.heartbeat_seconds), 0),
      nullif(v_limits && array['all', 'queue:' || r.queue, 'task:' || (r.job ->> 'task')], false)
    from routed as r
    order by r.ordinal
    on conflict (id) do nothing
    returning jobs.id, jobs.status, jobs.kind, jobs.lane_id, jobs.queue, jobs.permission_level
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, to_status, actor, queue)
    select v_now, 'enqueued', n.id, n.kind, n.status, p_actor, n.queue
    from enqueued as n
  ),
  touched as (
    insert into interlock.job_lane_touches (lane_id)
    select distinct n.lane_id
    from enqueued as n
    where n.status = 'pending'
  )
  select
    (select count(*) from enqueued),
    array_agg(r.ordinal order by r.ordinal),
    array_agg(r.id order by r.ordinal),
    array_agg(r.status order by r.ordinal)
  into v_inserted, v_ordinals, v_ids, v_statuses
  from routed as r;

  if v_inserted < cardinality(v_ids) then
    raise exception using
      errcode = 'IL006',
      message = format('a job with this id exists already (%s of %s could be enqueued)', v_inserted, cardinality(v_ids)),
      column = 'id',
      hint = 'Choose another id, or leave it out.';
  end if;
  -- An id names one job for ever: one that has ended is in the history. Asked after the insert, which may
  -- have waited for that end; before it, a client that asked again as its job completed had it run twice.
  if jsonb_path_exists(p_jobs, '$[*].id') then
    if exists (
      select
      from jsonb_array_elements(p_jobs) as e (job)
      join interlock.task_history as t on t.job_id = e.job ->> 'id'
      where e.job ? 'id'
        and (v_known = '{}' or e.job ->> 'id' = any (v_ids))
    ) then
      raise exception using errcode = 'IL006', message = 'a job with this id exists already, and has ended', column = 'id', hint = 'Choose another id, or leave it out.';
    end if;
  end if;
  if jsonb_path_exists(p_jobs, '$[*].approved_by') then
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, actor, conflict_reason)
    select v_now, 'approved', n.id, coalesce(e.job ->> 'kind', 'normal'), n.status, n.status,
      e.job ->> 'approved_by', 'approved before it was enqueued'
    from jsonb_array_elements(p_jobs) with ordinality as e (job, ordinal)
    join unnest(v_ordinals, v_ids, v_statuses) as n (ordinal, id, status) on n.ordinal = e.ordinal
    where e.job ? 'approved_by';
  end if;
  if v_deferred is not null then
    perform interlock.store_dependencies(p_jobs, v_ordinals, v_ids, v_deferred, v_now);
  end if;
  v_routes := array(
    select distinct coalesce(e.job ->> 'queue', interlock.queue_of_priority(interlock.priority_number(e.job -> 'priority')))
      || '/' || coalesce(e.job ->> 'permission_level', 'autonomous')
    from jsonb_array_elements(p_jobs) as e (job)
  );
  perform interlock.ring(v_routes);
  return query
  select u.n::integer, u.id, u.status, false
  from unnest(v_ordinals, v_ids, v_statuses) as u (n, id, status)
  union all
  select k.key::integer, k.value ->> 'id', k.value ->> 'status', true
  from jsonb_each(v_known) as k
  order by 1;
end
$$;

comment on function interlock.enqueue_jobs(jsonb, text) is
  'Enqueues an array of jobs, all or none; each an object of task (required), user, project, id, queue (else the priority chooses: critical and high -> high, low -> low, else default), priority (critical, high, normal, low or 0 to 3), models, resources (kind:value), kind, payload (an object, at most 256 KiB), permission_level (human_required: paused until approve_job(), unless approved_by names who approved it already), run_at or delay_seconds, timeout_seconds, max_attempts, retry_delays_seconds (a list, or {"exponential": {...}}: see retry_delays()), ttl_seconds, start (false: paused until start_paused_job()), depends_on (up to 1,000 ids of jobs that exist or stand earlier in the array) and depends_on_outcome (success, or any end of them): deferred until they have ended, unique_key with on_duplicate (skip, replace, refuse), heartbeat_seconds (0: none; see stall_jobs()), work_order (see expand_work_orders()). Returns id and status in the order given; is_duplicate where an unfinished job has the unique_key, whose they are then: nothing was enqueued for it. With on_duplicate replace, one that waits is cancelled for the new one, and one that runs is left alone: IL006.
Insert-only towards the scheduler: it reads no lane and locks none, so it waits for nobody and fits into any transaction; a job id of the caller''s own waits for an uncommitted one of the same name. Two more exceptions, for who asks for them: a job with a unique_key waits for an uncommitted one with the same (settle_keys()), and where unfinished jobs are limited, enqueuers under one limit wait for each other (make_room()). These need READ COMMITTED (IL010). Raises IL003 where a job is to depend on the success of one that ended otherwise, IL005 invalid_argument, IL006 idempotency_conflict, IL007 queue_full, IL011 unknown_task, IL012 queue_not_found, with the field as COLUMN; nothing is written then.';

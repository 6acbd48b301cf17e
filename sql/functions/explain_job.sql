create function interlock.explain_job(p_job_id text) returns jsonb
language plpgsql stable
set search_path = ''
set enable_seqscan = off
as $$
declare
  v_now timestamptz := interlock.clock();
  v_job record;
  v_lane record;
  v_before bigint;
  v_rank bigint;
  v_queue record;
  v_chain jsonb := '[]';
  v_on text;
  v_who text;
  v_holder record;
  v_head record;
  v_sentence text;
  v_hops text := '';
  v_obstacle text;
  v_may boolean;
  v_asks jsonb;
  v_parents jsonb;
begin
  select j.id, j.status, j.task, j.user_name, j.agent_id, j.queue, j.permission_level, j.approved_at, j.resources, j.lane_id, j.seniority, j.queued_at,
    j.token, j.run_at, j.started_at, j.assigned_at, j.finished_at, j.attempt, j.max_attempts, j.error, j.cancel_requested_at
  into v_job
  from interlock.jobs as j
  where j.id = p_job_id;
  if not found then
    select t.outcome, t.finished_at, t.reason
    into v_holder
    from interlock.task_history as t
    where t.job_id = p_job_id
    order by t.finished_at desc
    limit 1;
    if not found then
      raise exception using errcode = 'IL001', message = format('job %s does not exist', p_job_id), column = 'job_id';
    end if;
    return jsonb_build_object('job_id', p_job_id, 'status', v_holder.outcome, 'sentence',
      format('Job %s has ended: it was %s %s ago%s.', p_job_id, v_holder.outcome, interlock.duration_words(v_now - v_holder.finished_at), coalesce(': ' || v_holder.reason, '')));
  end if;

  if v_job.status = 'deferred' then
    v_parents := interlock.parents_ahead(p_job_id);
  end if;
  if v_job.status <> 'pending' then
    v_asks := case when v_job.status = 'running' then interlock.asking_words(v_job.id, v_job.token, v_now) end;
    v_sentence := case v_job.status
      when 'scheduled' then format('Job %s waits for its time: it is due in %s%s.', v_job.id, interlock.duration_words(v_job.run_at - v_now),
        case when v_job.attempt > 0 then format(', for attempt %s of %s', v_job.attempt + 1, v_job.max_attempts) else '' end)
      when 'paused' then format(case when v_job.permission_level = 'human_required' and v_job.approved_at is null
        then 'Job %s waits for an approval: somebody has to approve or reject it.' else 'Job %s is paused: somebody has to start it.' end, v_job.id)
      when 'deferred' then format('Job %s waits for %s.', v_job.id, interlock.parents_words(v_parents))
      when 'failed' then format('Job %s has failed for good after %s attempts: %s. It waits for a person to requeue or delete it.', v_job.id, v_job.attempt, coalesce(v_job.error ->> 'message', 'no error was given'))
      when 'assigned' then format('Job %s was given to agent %s %s ago, which has not confirmed its start.', v_job.id, v_job.agent_id, interlock.duration_words(v_now - v_job.assigned_at))
      else format('Job %s runs on agent %s since %s%s.', v_job.id, v_job.agent_id, interlock.duration_words(v_now - v_job.started_at),
        case when v_job.cancel_requested_at is not null then ', and was asked to stop' else coalesce(v_asks ->> 'words', '') end)
    end;
    return jsonb_strip_nulls(jsonb_build_object('job_id', v_job.id, 'status', v_job.status, 'sentence', v_sentence, 'waits_for', v_parents))
      || coalesce(v_asks - 'words', '{}');
  end if;

  select q.is_paused, q.patience_seconds into v_queue from interlock.queues as q where q.name = v_job.queue;
  select l.id, l.route, l.task, l.resources, l.rank, l.blocked_on, l.reserving, l.waiting_since
  into v_lane
  from interlock.job_lanes as l
  where l.id = v_job.lane_id;
  v_before := (
    select count(*)
    from (
      select
      from interlock.jobs as j
      where j.lane_id = v_job.lane_id
        and j.status = 'pending'
        and (j.seniority, j.id) < (v_job.seniority, v_job.id)
      limit 1001
    ) as b
  );
  -- What it is parked on, if that still stands in its way; else, and while it is awake or in the inbox, what does now.
  v_obstacle := interlock.obstacle_of(v_lane.blocked_on);
  if v_obstacle is null or interlock.can_use(v_obstacle, v_job.lane_id, coalesce(v_lane.rank, v_job.seniority)) then
    v_on := interlock.first_obstacle(v_job.queue || '/' || v_job.permission_level, v_job.task, v_job.resources,
      v_job.lane_id, coalesce(v_lane.rank, v_job.seniority));
    if v_on is null and v_obstacle is not null then
      v_chain := jsonb_build_array(jsonb_build_object('resource', v_obstacle, 'state', 'free'));
    end if;
    v_obstacle := coalesce(v_on, v_obstacle);
  end if;
  if v_obstacle is not null then
    v_rank := (
      select count(*)
      from (
        select
        from interlock.job_lanes as o
        where (o.blocked_on = v_obstacle or o.blocked_on = v_lane.blocked_on)
          and (o.rank, o.id) < (coalesce(v_lane.rank, v_job.seniority), v_job.lane_id)
        limit 1001
      ) as b
    );
  end if;

  -- The chain: who holds or reserves what it waits for, what that one waits for in turn, down to a job that runs.
  v_on := case when v_chain = '[]' then v_obstacle end;
  while v_on is not null and jsonb_array_length(v_chain) < 20 loop
    select s.active_job_id, s.reserved_lane_id, s.started_at, j.user_name, j.task, j.status, j.agent_id
    into v_holder
    from interlock.job_queue_state as s
    left join interlock.jobs as j on j.id = s.active_job_id
    where s.resource = v_on
      and (s.active_job_id is not null or s.reserved_lane_id is not null)
    order by (s.active_job_id is null), s.started_at, s.slot
    limit 1;
    if not found then
      v_chain := v_chain || jsonb_build_object('resource', v_on, 'state', coalesce(
        (select case when m.is_paused then 'paused' when m.capacity = 0 then 'switched off'
          when v_on like 'rate:%' and (select count(*) from interlock.job_queue_state as s where s.resource = v_on and s.taken_until > v_now) >= m.capacity then 'used up for this minute' else 'free' end from interlock.limit_of(v_on) as m), 'free'));
      exit;
    elsif v_holder.active_job_id is not null then
      v_chain := v_chain || jsonb_build_object('resource', v_on, 'state', 'held', 'job_id', v_holder.active_job_id, 'user', v_holder.user_name,
        'task', v_holder.task, 'status', v_holder.status, 'agent_id', v_holder.agent_id, 'since', v_holder.started_at);
      exit;
    end if;
    select l.id, coalesce(interlock.obstacle_of(l.blocked_on), interlock.first_obstacle(l.route, l.task, l.resources, l.id, l.rank)) as obstacle,
      h.id as head_id, h.user_name, h.task
    into v_head
    from interlock.job_lanes as l
    left join lateral (
      select j.id, j.user_name, j.task
      from interlock.jobs as j
      where j.lane_id = l.id and j.status = 'pending'
      order by j.seniority, j.id
      limit 1
    ) as h on true
    where l.id = v_holder.reserved_lane_id;
    v_chain := v_chain || jsonb_build_object('resource', v_on, 'state', 'reserved', 'job_id', v_head.head_id, 'user', v_head.user_name, 'task', v_head.task,
      'status', case when v_head.obstacle is null then 'about to start' else 'pending' end);
    v_on := v_head.obstacle;
  end loop;

  v_may := v_obstacle is not null and v_lane.rank is not null
    and interlock.may_reserve(v_lane.id, v_lane.rank, v_lane.waiting_since, v_lane.route, v_lane.task, v_lane.resources, v_obstacle, v_now);
  v_who := format('Job %s', v_job.id);
  if v_queue.is_paused then
    v_sentence := format('%s waits because queue %s is paused.', v_who, v_job.queue);
  elsif v_job.queue || '/' || v_job.permission_level <> all (interlock.served_routes(v_now)) then
    v_sentence := format('%s waits because no live agent serves %s/%s.', v_who, v_job.queue, v_job.permission_level);
  elsif v_before > 0 then
    v_sentence := format('%s waits behind %s more senior %s that need exactly the same%s.', v_who,
      case when v_before > 1000 then '1000+' else v_before::text end, case when v_before = 1 then 'job' else 'jobs' end,
      case when v_obstacle is not null then format(', of which the first waits for %s', v_obstacle) else '' end);
  elsif v_obstacle is null then
    v_sentence := format('%s waits for nothing but an agent with room: all that it needs is to be examined.', v_who);
  else
    v_sentence := format('%s waits for %s', v_who, v_obstacle);
  end if;
  if v_obstacle is not null and not v_queue.is_paused then
    select string_agg(
      case
        when c.link ->> 'state' = 'held' then format(', held by job %s%s, which %s since %s', c.link ->> 'job_id', coalesce(' of ' || (c.link ->> 'user'), ''),
          case when c.link ->> 'status' = 'running' then 'runs' else 'was assigned' end, interlock.duration_words(v_now - (c.link ->> 'since')::timestamptz))
        when c.link ->> 'state' = 'reserved' then format(', reserved for job %s%s, which %s', c.link ->> 'job_id', coalesce(' of ' || (c.link ->> 'user'), ''),
          case when c.link ->> 'status' = 'pending' then 'waits for ' || coalesce(v_chain -> c.n::integer ->> 'resource', 'more') else 'is ' || (c.link ->> 'status') end)
        when c.link ->> 'state' = 'free' then ', which is free and about to be examined'
        else ', which is ' || (c.link ->> 'state')
      end, '' order by c.n)
    into v_hops
    from jsonb_array_elements(v_chain) with ordinality as c (link, n);
    v_sentence := rtrim(v_sentence, '.') || coalesce(v_hops, '')
      || case when coalesce(v_rank, 0) > 0 and v_before = 0 then format('; %s more senior %s for it first', case when v_rank > 1000 then '1000+' else v_rank::text end, case when v_rank = 1 then 'line waits' else 'lines wait' end) else '' end
      || '.';
  end if;

  return jsonb_strip_nulls(jsonb_build_object(
    'job_id', v_job.id,
    'status', v_job.status,
    'sentence', v_sentence,
    'queued_at', v_job.queued_at,
    'obstacle', case when v_obstacle is not null then jsonb_build_object('resource', v_obstacle, 'kind', split_part(v_obstacle, ':', 1)) end,
    'blocked_by_job_id', (select c ->> 'job_id' from jsonb_array_elements(v_chain) as c where c ->> 'state' in ('held', 'reserved') limit 1),
    'conflict_reason', case when v_obstacle is not null then (select c.reason from interlock.conflict_reason(v_obstacle) as c) end,
    'chain', v_chain,
    'place_in_lane', case when v_before > 1000 then '"1000+"'::jsonb else to_jsonb(v_before + 1) end,
    'lane_rank', case when v_rank > 1000 then '"1000+"'::jsonb else to_jsonb(v_rank + 1) end,
    'queue_position', case when v_before + coalesce(v_rank, 0) > 1000 then '"1000+"'::jsonb else to_jsonb(v_before + coalesce(v_rank, 0) + 1) end,
    'reserving', v_lane.reserving,
    'may_reserve', v_may,
    'may_reserve_at', case when cardinality(v_job.resources) > 1 and v_queue.patience_seconds < 1e9 then v_job.queued_at + v_queue.patience_seconds * interval '1 second' end
  ));
end
$$;

comment on function interlock.explain_job(text) is
  'Why a job waits, in one English sentence and as JSON: the obstacle; the chain of who holds or reserves it and what that one waits for, down to a job that runs; its place in its lane and the lane''s place among those parked on the obstacle (counted to 1,000, then "1000+"); whether it may reserve, and from when. Of any other state it says what that means; of a deferred job for which others it waits, and what they do. Locks nothing. Raises IL001.';

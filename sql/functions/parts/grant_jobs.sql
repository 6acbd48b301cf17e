create function interlock.grant_jobs(
  p_agent_id text, p_now timestamptz, p_jobs tid[], p_grant_jobs integer[], p_grant_resources text[], p_lane_id uuid default null
) returns jsonb
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  -- Not p_now, which is when the claim began: of a start rate a slot may have come free since, and have been counted as free.
  v_at constant timestamptz := interlock.clock();
  v_tokens bigint[] := array(select nextval('interlock.grant_numbers') from generate_series(1, cardinality(p_jobs)));
  v_more constant boolean := interlock.any_more_slots();
  v_ids text[];
  v_kinds text[];
  v_models text[];
  v_granted integer;
  v_started integer;
  v_assignments jsonb;
begin
  select array_agg(j.id order by u.n), array_agg(j.kind order by u.n),
    array_agg(array(select substr(m, 7) from unnest(j.resources) as m where m like 'model:%')::text order by u.n)
  into v_ids, v_kinds, v_models
  from unnest(p_jobs) with ordinality as u (place, n)
  join interlock.jobs as j on j.ctid = u.place;

  with wanted as materialized (
    select g.resource, g.job_n, g.ord, row_number() over (partition by g.resource order by g.ord) as nth
    from unnest(p_grant_jobs, p_grant_resources) with ordinality as g (job_n, resource, ord)
  ),
  chosen as materialized (
    select w.job_n, w.ord, w.resource, f.place, f.slot
    from wanted as w
    -- The nth free slot for the nth taker; for a capacity of 1 that is one probe.
    cross join lateral (
      select s.place, s.slot
      from interlock.slots_of(w.resource, v_more) as s
      where s.active_job_id is null
        and (s.taken_until is null or s.taken_until <= v_at)
        and (s.reserved_lane_id is null or s.reserved_lane_id = p_lane_id)
      order by (s.reserved_lane_id is null), s.slot
      limit 1
      offset w.nth - 1
    ) as f
  ),
  -- By place, not by key: nobody else touches a slot whose resource is locked, and a join on two keys is one that the
  -- planner, when the table was small, has done on the second key alone.
  granted as (
    update interlock.job_queue_state as s
    set active_job_id = case when c.resource not like 'rate:%' then v_ids[c.job_n] end,
        taken_until = case when c.resource like 'rate:%' then p_now + interval '1 minute' end,
        active_job_type = v_kinds[c.job_n],
        active_models = v_models[c.job_n]::text[],
        started_at = p_now,
        fence = v_tokens[c.job_n],
        reserved_lane_id = null,
        era = case when random() < 0.03 then clock_timestamp() else s.era end
    from chosen as c
    where s.ctid = c.place
    returning 1
  ),
  starting as materialized (
    -- A start rate is not held: its slot comes free by itself.
    select c.job_n as n,
      coalesce(array_agg(c.resource order by c.ord) filter (where c.resource not like 'rate:%'), '{}') as resources,
      coalesce(array_agg(c.slot order by c.ord) filter (where c.resource not like 'rate:%'), '{}') as slots
    from chosen as c
    group by c.job_n
    union all
    select u.n, '{}', '{}'
    from generate_series(1, cardinality(p_jobs)) as u (n)
    where u.n <> all (p_grant_jobs)
  ),
  started as (
    update interlock.jobs as j
    set status = 'assigned',
        agent_id = p_agent_id,
        token = v_tokens[t.n],
        attempt = j.attempt + 1,
        assigned_at = p_now,
        started_at = null,
        progress = null,
        progress_description = null,
        held = t.resources,
        held_slots = t.slots
    from starting as t
    -- Not "and status = pending": beside that a plan made without statistics reads all that waits, by its partial index.
    where j.ctid = p_jobs[t.n]
      and j.held is null
    returning j.id, j.token, j.task, j.kind, j.user_name, j.project, j.queue, j.attempt, j.max_attempts,
      j.timeout_seconds, j.payload, j.resources, j.held, t.n
  ),
  logged as (
    insert into interlock.job_queue_log (created_at, event_type, job_id, job_type, from_status, to_status, token, agent_id, resources)
    select p_now, 'assigned', s.id, s.kind, 'pending', 'assigned', s.token, p_agent_id, s.held
    from started as s
  )
  select
    (select count(*) from granted),
    count(*),
    jsonb_agg(
      jsonb_build_object(
        'job_id', s.id, 'token', s.token, 'task', s.task, 'kind', s.kind, 'user', s.user_name, 'project', s.project,
        'queue', s.queue, 'attempt', s.attempt, 'max_attempts', s.max_attempts, 'timeout_seconds', s.timeout_seconds,
        'payload', s.payload, 'resources', s.resources,
        'fences', interlock.fences(s.held, s.token))
      order by s.n)
  into v_granted, v_started, v_assignments
  from started as s;

  if v_granted <> cardinality(p_grant_resources) or v_started <> cardinality(p_jobs) then
    raise exception using
      errcode = 'XX000',
      message = format('interlock: %s of %s slots and %s of %s jobs could be taken under their locks', v_granted, cardinality(p_grant_resources), v_started, cardinality(p_jobs)),
      hint = 'This is a defect: nothing was started. Look at interlock.violations.';
  end if;
  return v_assignments;
end
$$;

comment on function interlock.grant_jobs(text, timestamptz, tid[], integer[], text[], uuid) is
  'Starts these jobs (locked, by place) for an agent: takes a slot of each resource (grant i is p_grant_resources[i] for the p_grant_jobs[i]-th job; the lane''s own reserved slot first, else the lowest free one), draws one number as token and fence, logs, and returns the assignments. The number taken must equal the number needed, else it raises and nothing is started. Called under the resources'' locks, with the heads locked.';

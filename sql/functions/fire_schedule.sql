create function interlock.fire_schedule(p_name text, p_revision bigint, p_slots timestamptz[], p_next_at timestamptz, p_problem text default null)
returns table (outcome text, job_ids text[])
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_schedule interlock.schedules;
  v_slot timestamptz;
  v_slots timestamptz[];
  v_problem text := p_problem;
  v_last timestamptz;
  v_job_id text;
begin
  job_ids := '{}';
  if p_slots is null or pg_catalog.cardinality(p_slots) > 1000 or exists (
    select
    from pg_catalog.unnest(p_slots) with ordinality as s (at, place)
    left join pg_catalog.unnest(p_slots) with ordinality as o (at, place) on o.place = s.place - 1
    where s.at is null
      or s.at > v_now
      or s.at <= o.at
  ) then
    raise exception using errcode = 'IL005', message = 'slots must be at most 1000 times, rising, none of them to come', column = 'slots';
  end if;
  if p_next_at is null or p_next_at <= coalesce(p_slots[pg_catalog.cardinality(p_slots)], '-infinity') then
    raise exception using errcode = 'IL005', message = 'next_at must be after every slot', column = 'next_at', hint = 'infinity where there is none.';
  end if;
  -- Who comes second finds the row locked, or grown: either way the slot is the first one's. One that crashes before its
  -- commit leaves the row as it was, to the next tick of whoever lives.
  select s.*
  into v_schedule
  from interlock.schedules as s
  where s.name = p_name
    and s.revision = p_revision
    and not s.is_paused
    and s.next_at <= v_now
  for no key update skip locked;
  if not found then
    outcome := 'passed';
    return next;
    return;
  end if;
  if pg_catalog.cardinality(p_slots) > 0 and (v_schedule.next_at = '-infinity' or p_slots[1] < v_schedule.next_at) then
    raise exception using errcode = 'IL005', message = 'slots must not be before the one that is next, and there are none before that is known', column = 'slots';
  end if;

  v_slots := case v_schedule.missed
    when 'all' then p_slots[greatest(1, pg_catalog.cardinality(p_slots) - v_schedule.missed_limit + 1):]
    when 'once' then p_slots[pg_catalog.cardinality(p_slots):]
    else array(
      select s.at
      from pg_catalog.unnest(p_slots) as s (at)
      where s.at > v_now - interval '1 minute'
      order by s.at desc
      limit 1
    )
  end;
  foreach v_slot in array v_slots loop
    -- What is refused for what it asks for is told, and stops no other slot; what is refused for its timing undoes the whole
    -- call, for the next tick.
    begin
      select e.job_id
      into strict v_job_id
      from interlock.enqueue_jobs(
        pg_catalog.jsonb_build_array(v_schedule.job || pg_catalog.jsonb_build_object(
          'id', p_name || ':' || pg_catalog.to_char(v_slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'))),
        'schedule:' || p_name) as e;
      job_ids := job_ids || v_job_id;
      v_last := v_slot;
      v_problem := null;
    exception
      when others then
        if sqlstate !~ '^IL' then
          raise;
        end if;
        v_problem := pg_catalog.format('slot %s: %s', pg_catalog.to_char(v_slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'), sqlerrm);
    end;
  end loop;
  update interlock.schedules as s
  set next_at = p_next_at,
      last_at = coalesce(v_last, s.last_at),
      last_job_id = coalesce(v_job_id, s.last_job_id),
      last_problem = case when pg_catalog.cardinality(v_slots) > 0 or v_problem is not null then pg_catalog.left(v_problem, 4096) else s.last_problem end,
      revision = s.revision + 1
  where s.name = p_name;
  outcome := case when pg_catalog.cardinality(job_ids) > 0 then 'fired' when v_problem is not null then 'failed' else 'planned' end;
  -- A job's own line says that it came by the schedule; this one says what did not come.
  if v_problem is not null or (pg_catalog.isfinite(v_schedule.next_at) and v_schedule.next_at < coalesce(v_slots[1], v_now)) then
    insert into interlock.job_queue_log (created_at, event_type, actor, conflict_reason, details)
    values (
      v_now, case when v_problem is not null then 'schedule_failed' else 'schedule_missed' end, 'schedule:' || p_name, pg_catalog.left(v_problem, 4096),
      pg_catalog.jsonb_build_object('schedule', p_name, 'missed_since', nullif(v_schedule.next_at, '-infinity'), 'job_ids', job_ids));
  end if;
  return next;
end
$$;

comment on function interlock.fire_schedule(text, bigint, timestamptz[], timestamptz, text) is
  'Enqueues what is due of a schedule and stores its next slot, in one transaction: a slot has one job, NAME:SLOT, however many coordinators come and crash. Called with the revision that due_schedules() showed, the slots that have come since (the latest ones, at most 1000), the next one (infinity: none), and what is wrong with its cron where it has no times. Which of several slots are enqueued, missed decides. Returns fired, with the jobs; planned, where nothing was to be enqueued; failed, where enqueue_jobs() refused (told in last_problem and the log; the slot is passed over); or passed, where another was faster or the schedule has changed.
Locks the schedule''s row, SKIP LOCKED, then as enqueue_jobs(). Raises IL005.';

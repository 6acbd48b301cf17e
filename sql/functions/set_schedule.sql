create function interlock.set_schedule(p_name text, p_settings jsonb, p_actor text default null)
returns table (outcome text, revision bigint)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_wrong record;
  v_old interlock.schedules;
  v_new interlock.schedules;
begin
  select w.field, w.problem, w.code
  into v_wrong
  from interlock.wrong_schedule(p_name, p_settings) as w;
  if found then
    raise exception using errcode = v_wrong.code, message = v_wrong.problem, column = v_wrong.field;
  end if;
  v_new.name := p_name;
  v_new.cron := p_settings ->> 'cron';
  v_new.time_zone := coalesce(p_settings ->> 'time_zone', 'UTC');
  v_new.missed := coalesce(p_settings ->> 'missed', 'once');
  v_new.missed_limit := coalesce((p_settings ->> 'missed_limit')::integer, 100);
  v_new.job := p_settings -> 'job';

  -- One that is deleted between the insert that finds it and its lock is made after all.
  loop
    insert into interlock.schedules as s (name, is_paused, cron, time_zone, missed, missed_limit, job, created_at, updated_at)
    values (p_name, coalesce((p_settings ->> 'is_paused')::boolean, false), v_new.cron, v_new.time_zone, v_new.missed, v_new.missed_limit, v_new.job, v_now, v_now)
    on conflict (name) do nothing
    returning s.revision into revision;
    if found then
      outcome := 'created';
      exit;
    end if;
    select s.* into v_old from interlock.schedules as s where s.name = p_name for no key update;
    exit when found;
  end loop;
  if outcome is null then
    v_new.is_paused := coalesce((p_settings ->> 'is_paused')::boolean, v_old.is_paused);
    revision := v_old.revision;
    outcome := 'unchanged';
    if (v_new.cron, v_new.time_zone, v_new.missed, v_new.missed_limit, v_new.job, v_new.is_paused)
      is distinct from (v_old.cron, v_old.time_zone, v_old.missed, v_old.missed_limit, v_old.job, v_old.is_paused) then
      update interlock.schedules as s
      set is_paused = v_new.is_paused,
          cron = v_new.cron,
          time_zone = v_new.time_zone,
          missed = v_new.missed,
          missed_limit = v_new.missed_limit,
          job = v_new.job,
          -- A file that is applied anew after a downtime, with another payload, forgets none of the slots that were missed.
          next_at = case
            when (v_new.cron, v_new.time_zone) = (v_old.cron, v_old.time_zone) and v_new.is_paused = v_old.is_paused then v_old.next_at
            else '-infinity'
          end,
          revision = v_old.revision + 1,
          updated_at = v_now
      where s.name = p_name;
      revision := v_old.revision + 1;
      outcome := 'changed';
    end if;
  end if;
  if outcome <> 'unchanged' then
    insert into interlock.job_queue_log (created_at, event_type, actor, details)
    values (v_now, 'schedule_set', p_actor, p_settings || pg_catalog.jsonb_build_object('schedule', p_name));
  end if;
  return next;
end
$$;

comment on function interlock.set_schedule(text, jsonb, text) is
  'Makes a schedule, or makes one say this: {cron (five parts), time_zone (UTC unless set), job (as enqueue_jobs() takes it, without id, run_at and delay_seconds), missed (once, all or skip), missed_limit (100), is_paused (unless set: as it is)}. Returns created, changed or unchanged, and the revision. A coordinator then computes the next slot, from now on where cron, time zone or the pause have changed; what was missed before is still made up for where they have not. A cron expression that looks right and is not is found then, and told in last_problem.
Locks the schedule''s row. Raises IL005, IL011, IL012 with the field as COLUMN (job.task); nothing is written then.';

create function interlock.set_alarm_policy(p_settings jsonb, p_actor text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_policy interlock.alarm_policy;
  v_wrong record;
begin
  if pg_catalog.jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception using errcode = 'IL005', message = 'settings must be an object', column = 'settings';
  end if;
  select s.key, k.name, k.least, k.most, k.may_be_null
  into v_wrong
  from pg_catalog.jsonb_each(p_settings) as s (key, value)
  left join (
    values ('queue_depth', 0, 10000000, true), ('failed_jobs', 0, 10000000, true), ('failed_window_seconds', 1, 2592000, false),
      ('dead_letter_seconds', 1, 2592000, true), ('oldest_wait_seconds', 1, 2592000, true), ('unserved_seconds', 1, 2592000, true),
      ('old_snapshot_seconds', 1, 2592000, true), ('clear_seconds', 0, 86400, false), ('is_delivered', null, null, false)
  ) as k (name, least, most, may_be_null) on k.name = s.key
  where k.name is null
    or not case pg_catalog.jsonb_typeof(s.value)
      when 'null' then k.may_be_null
      when 'boolean' then k.least is null
      when 'number' then k.least is not null and (s.value #>> '{}')::numeric between k.least and k.most and (s.value #>> '{}')::numeric % 1 = 0
      else false
    end
  limit 1;
  if found then
    raise exception using errcode = 'IL005', column = v_wrong.key, message = case
      when v_wrong.name is null then pg_catalog.format('%s is not a setting of alarms', v_wrong.key)
      when v_wrong.least is null then pg_catalog.format('%s must be true or false', v_wrong.key)
      else pg_catalog.format('%s must be a whole number from %s to %s%s', v_wrong.key, v_wrong.least, v_wrong.most,
        case when v_wrong.may_be_null then ', or null for no such alarm' else '' end)
    end;
  end if;

  insert into interlock.alarm_policy (is_only) values (true) on conflict (is_only) do nothing;
  select p.* into v_policy from interlock.alarm_policy as p for no key update;
  v_policy := pg_catalog.jsonb_populate_record(v_policy, p_settings);
  update interlock.alarm_policy as p
  set queue_depth = v_policy.queue_depth,
      failed_jobs = v_policy.failed_jobs,
      failed_window_seconds = v_policy.failed_window_seconds,
      dead_letter_seconds = v_policy.dead_letter_seconds,
      oldest_wait_seconds = v_policy.oldest_wait_seconds,
      unserved_seconds = v_policy.unserved_seconds,
      old_snapshot_seconds = v_policy.old_snapshot_seconds,
      clear_seconds = v_policy.clear_seconds,
      is_delivered = v_policy.is_delivered,
      updated_at = v_now;
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (v_now, 'alarm_policy_set', p_actor, p_settings);
end
$$;

comment on function interlock.set_alarm_policy(jsonb, text) is
  'Changes what is alarming, by the columns of alarm_policy: {queue_depth, failed_jobs, failed_window_seconds, dead_letter_seconds, oldest_wait_seconds, unserved_seconds, old_snapshot_seconds, clear_seconds, is_delivered}. What is not named stays; null switches a rule off. The next look is by it. Locks the policy''s row. Raises IL005.';

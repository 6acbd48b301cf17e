create function interlock.wrong_schedule(p_name text, p_settings jsonb)
returns table (field text, problem text, code text)
language sql stable
set search_path = ''
as $$
  select c.field, c.problem, coalesce(c.code, 'IL005')
  from (
    select 1 as place, 'name' as field, 'name must be 1 to 63 letters, digits and . _ -, a letter or digit first' as problem, null as code
    where p_name is null
      or p_name !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'
    union all
    select 2, 'settings', 'settings must be an object', null
    where pg_catalog.jsonb_typeof(p_settings) is distinct from 'object'
    union all
    select 3, k, pg_catalog.format('%s is not a setting of a schedule', k), null
    from pg_catalog.jsonb_object_keys(case when pg_catalog.jsonb_typeof(p_settings) = 'object' then p_settings else '{}' end) as k
    where k not in ('cron', 'time_zone', 'missed', 'missed_limit', 'is_paused', 'job')
    union all
    -- Five parts of the letters that cron knows. Whether they make sense is for who computes the times.
    select 4, 'cron', 'cron must be five parts (minute, hour, day, month, weekday), or @hourly, @daily, @weekly, @monthly, @yearly', null
    where pg_catalog.jsonb_typeof(p_settings -> 'cron') is distinct from 'string'
      or pg_catalog.length(p_settings ->> 'cron') > 200
      or p_settings ->> 'cron' !~ '^(@(hourly|daily|weekly|monthly|yearly)|[0-9A-Za-z*?,/#+-]+( [0-9A-Za-z*?,/#+-]+){4})$'
    union all
    select 5, 'time_zone', pg_catalog.format('%s is not the name of a time zone', coalesce(p_settings ->> 'time_zone', 'null')), null
    where p_settings ? 'time_zone'
      and not exists (
        select
        from pg_catalog.pg_timezone_names as z
        where pg_catalog.jsonb_typeof(p_settings -> 'time_zone') = 'string'
          and z.name = p_settings ->> 'time_zone'
      )
    union all
    select 6, 'missed', 'missed must be once, all or skip', null
    where p_settings ? 'missed'
      and coalesce(p_settings ->> 'missed', '') not in ('once', 'all', 'skip')
    union all
    select 7, 'missed_limit', 'missed_limit must be a whole number from 1 to 1000', null
    where p_settings ? 'missed_limit'
      and not (pg_catalog.jsonb_typeof(p_settings -> 'missed_limit') = 'number' and p_settings ->> 'missed_limit' ~ '^([1-9][0-9]{0,2}|1000)$')
    union all
    select 8, 'is_paused', 'is_paused must be true or false', null
    where p_settings ? 'is_paused'
      and pg_catalog.jsonb_typeof(p_settings -> 'is_paused') <> 'boolean'
    union all
    select 9, 'job.' || k, pg_catalog.format('%s is not for a job that comes by the clock', k), null
    from pg_catalog.unnest(array['id', 'run_at', 'delay_seconds']) as k
    where p_settings -> 'job' ? k
    union all
    select 10, case when w.field = 'job' then 'job' else 'job.' || w.field end, w.problem, w.code
    from interlock.wrong_field(coalesce(p_settings -> 'job', 'null')) as w
  ) as c
  where c.problem is not null
  order by c.place
  limit 1
$$;

comment on function interlock.wrong_schedule(text, jsonb) is
  'The first wrong setting of a schedule, what is wrong with it, and the SQLSTATE; no row for a good one.';

create function interlock.ensure_partitions(p_days_ahead integer default 7) returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_today date := (interlock.clock() at time zone 'UTC')::date;
  v_from timestamptz;
  v_until timestamptz;
  v_name text;
  v_made integer := 0;
  v_table text;
begin
  -- Names of partitions cannot be parameters: this and prune_history() are the two verbs that build a statement, from dates only.
  foreach v_table in array array['job_queue_log', 'task_history'] loop
    for v_from, v_until in
      select d at time zone 'UTC', (d + case v_table when 'job_queue_log' then interval '1 day' else interval '1 month' end) at time zone 'UTC'
      from pg_catalog.generate_series(
        case v_table when 'job_queue_log' then v_today::timestamp else pg_catalog.date_trunc('month', v_today::timestamp) end,
        v_today + p_days_ahead * interval '1 day',
        case v_table when 'job_queue_log' then interval '1 day' else interval '1 month' end) as d
    loop
      v_name := v_table || pg_catalog.to_char(v_from at time zone 'UTC', case v_table when 'job_queue_log' then '_YYYYMMDD' else '_YYYYMM' end);
      continue when pg_catalog.to_regclass('interlock.' || v_name) is not null;
      -- Rows that came before their partition stay in the DEFAULT one; so does then the rest of that day or month.
      continue when v_table = 'job_queue_log'
        and exists (select from interlock.job_queue_log_default as l where l.created_at >= v_from and l.created_at < v_until);
      continue when v_table = 'task_history'
        and exists (select from interlock.task_history_default as t where t.finished_at >= v_from and t.finished_at < v_until);
      execute pg_catalog.format('create table interlock.%I partition of interlock.%I for values from (%L) to (%L)', v_name, v_table, v_from, v_until);
      v_made := v_made + 1;
    end loop;
  end loop;
  return v_made;
end
$$;

comment on function interlock.ensure_partitions(integer) is
  'Makes the daily partitions of job_queue_log and the monthly ones of task_history, from today to p_days_ahead. Returns how many it made. What has no partition goes to the DEFAULT one, so nothing depends on its being run in time. Takes a short exclusive lock of the tables for each one that it makes.';

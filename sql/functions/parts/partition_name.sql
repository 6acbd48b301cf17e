create function interlock.partition_name(p_table text, p_start timestamptz) returns text
language sql stable
set search_path = ''
as $$
  select p_table || pg_catalog.to_char(p_start at time zone 'UTC', case p_table when 'job_queue_log' then '_YYYYMMDD' else '_YYYYMM' end)
$$;

comment on function interlock.partition_name(text, timestamptz) is
  'What the partition of job_queue_log, task_history or audit_log that starts at p_start is called. prune_history() reads the date off the name.';

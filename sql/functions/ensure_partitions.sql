create function interlock.ensure_partitions(p_table text, p_days_ahead integer default 7) returns integer
language plpgsql
set search_path = ''
set lock_timeout = '1s'
as $$
declare
  v_unit text := case p_table when 'job_queue_log' then 'day' when 'task_history' then 'month' when 'audit_log' then 'month' end;
  v_time text := case p_table when 'job_queue_log' then 'created_at' when 'task_history' then 'finished_at' when 'audit_log' then 'created_at' end;
  v_late text := p_table || '_late';
  v_default text := p_table || '_default';
  v_now timestamptz := interlock.clock();
  v_until timestamptz;
  v_starts timestamptz[];
  v_start timestamptz;
  v_name text;
  v_made integer := 0;
  v_has_late boolean;
begin
  if v_unit is null then
    raise exception using errcode = 'IL005', message = 'table must be job_queue_log, task_history or audit_log', column = 'table';
  end if;
  if p_days_ahead is null or p_days_ahead not between 0 and 366 then
    raise exception using errcode = 'IL005', message = 'days_ahead must be from 0 to 366', column = 'days_ahead';
  end if;
  v_until := v_now + p_days_ahead * interval '1 day';
  -- Before anything is read: two at once would each have a lock that the other is to wait for.
  perform pg_catalog.pg_advisory_xact_lock(interlock.lock_key('partitions'));
  -- Names of partitions cannot be parameters: this and prune_history() are the two verbs that build a statement, from dates only.
  execute pg_catalog.format('select exists (select from interlock.%I)', v_default) into v_has_late;
  v_starts := array(
    select d at time zone 'UTC'
    from pg_catalog.generate_series(
      pg_catalog.date_trunc(v_unit, v_now at time zone 'UTC'), v_until at time zone 'UTC', ('1 ' || v_unit)::interval) as d);
  if not v_has_late
    and not exists (select from unnest(v_starts) as s (d) where pg_catalog.to_regclass('interlock.' || interlock.partition_name(p_table, s.d)) is null) then
    return 0;
  end if;

  -- Looked at again under the lock: an event may have come between, and a partition cannot be made over rows in the DEFAULT
  -- one. So what is there steps aside, and comes back through the front door once its days have partitions. Nothing is
  -- deleted from an append-only table.
  execute pg_catalog.format('lock table interlock.%I in access exclusive mode', p_table);
  execute pg_catalog.format('select exists (select from interlock.%I)', v_default) into v_has_late;
  if v_has_late then
    execute pg_catalog.format('alter table interlock.%I detach partition interlock.%I', p_table, v_default);
    execute pg_catalog.format('alter table interlock.%I rename to %I', v_default, v_late);
    execute pg_catalog.format(
      'select array(select distinct pg_catalog.date_trunc(%L, l.%I, ''UTC'') from interlock.%I as l)', v_unit, v_time, v_late) into v_starts;
    v_starts := v_starts || array(
      select d at time zone 'UTC'
      from pg_catalog.generate_series(
        pg_catalog.date_trunc(v_unit, v_now at time zone 'UTC'), v_until at time zone 'UTC', ('1 ' || v_unit)::interval) as d);
  end if;
  foreach v_start in array v_starts loop
    v_name := interlock.partition_name(p_table, v_start);
    continue when pg_catalog.to_regclass('interlock.' || v_name) is not null;
    execute pg_catalog.format(
      'create table interlock.%I partition of interlock.%I for values from (%L) to (%L)',
      v_name, p_table, v_start,
      (v_start at time zone 'UTC' + ('1 ' || v_unit)::interval) at time zone 'UTC');
    v_made := v_made + 1;
  end loop;
  if v_has_late then
    execute pg_catalog.format('create table interlock.%I partition of interlock.%I default', v_default, p_table);
    execute pg_catalog.format('insert into interlock.%I overriding system value select l.* from interlock.%I as l', p_table, v_late);
    execute pg_catalog.format('drop table interlock.%I', v_late);
  end if;
  return v_made;
end
$$;

comment on function interlock.ensure_partitions(text, integer) is
  'Makes the partitions of job_queue_log (a day each), of task_history or of audit_log (a month each), from today to p_days_ahead, and of the time of whatever came meanwhile and is in the DEFAULT partition, which moves there. Returns how many it made. Nothing depends on its being run in time.
Locks: the key partitions; then the one table, exclusively, when there is something to make; waits for it 1 s at most, so that whoever reads the table for long (a pg_dump) does not stop every verb behind this one, and raises 55P03 then: the next run makes them. One table a transaction: holding one and waiting for the other, it could meet a verb that does the opposite.';

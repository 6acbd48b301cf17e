create function interlock.prune_history(p_log_days integer default 7, p_history_days integer default 365, p_limit integer default 10000)
returns table (partitions integer, results integer, outputs integer, agents integer)
language plpgsql
set search_path = ''
set lock_timeout = '1s'
as $$
declare
  v_now timestamptz := interlock.clock();
  v_name text;
  v_table text;
  v_first_table text;
begin
  if p_log_days is null or p_log_days not between 0 and 36500 then
    raise exception using errcode = 'IL005', message = 'log_days must be 0 (for ever) to 36500', column = 'log_days';
  end if;
  if p_history_days is null or p_history_days not between 0 and 36500 then
    raise exception using errcode = 'IL005', message = 'history_days must be 0 (for ever) to 36500', column = 'history_days';
  end if;
  p_limit := interlock.row_limit(p_limit);
  -- One at a time, and not beside ensure_partitions(): what is listed is to be there when it is dropped.
  perform pg_catalog.pg_advisory_xact_lock(interlock.lock_key('partitions'));
  partitions := 0;
  for v_table, v_name in
    select i.inhparent::regclass::text, c.relname
    from pg_catalog.pg_inherits as i
    join pg_catalog.pg_class as c on c.oid = i.inhrelid
    where (i.inhparent = 'interlock.job_queue_log'::regclass
        and c.relname ~ '_[0-9]{8}$' and p_log_days > 0
        and pg_catalog.to_date(pg_catalog.right(c.relname, 8), 'YYYYMMDD') + 1 <= (v_now at time zone 'UTC')::date - p_log_days)
      or (i.inhparent = 'interlock.task_history'::regclass
        and c.relname ~ '_[0-9]{6}$' and p_history_days > 0
        and pg_catalog.to_date(pg_catalog.right(c.relname, 6), 'YYYYMM') + interval '1 month' <= (v_now at time zone 'UTC')::date - p_history_days)
    order by c.relname
  loop
    v_first_table := coalesce(v_first_table, v_table);
    exit when v_table <> v_first_table;
    execute pg_catalog.format('drop table interlock.%I', v_name);
    partitions := partitions + 1;
  end loop;

  with old as (
    select r.ctid
    from interlock.job_results as r
    where r.expires_at <= v_now
    order by r.expires_at
    limit p_limit
  )
  delete from interlock.job_results as r
  using old as o
  where r.ctid = o.ctid;
  get diagnostics results = row_count;

  with old as (
    select o.job_id, o.seq
    from interlock.job_output as o
    where p_log_days > 0
      and o.created_at < v_now - p_log_days * interval '1 day'
      and not exists (select from interlock.jobs as j where j.id = o.job_id)
    limit p_limit
  )
  delete from interlock.job_output as x
  using old as o
  where x.job_id = o.job_id
    and x.seq = o.seq;
  get diagnostics outputs = row_count;

  with old as (
    select k.key
    from interlock.idempotency_keys as k
    where p_log_days > 0
      and k.created_at < v_now - p_log_days * interval '1 day'
    order by k.created_at
    limit p_limit
  )
  delete from interlock.idempotency_keys as k
  using old as o
  where k.key = o.key;

  with old as (
    select m.id
    from interlock.job_messages as m
    where p_log_days > 0
      and m.created_at < v_now - p_log_days * interval '1 day'
      and m.state is distinct from 'open'
      and not exists (select from interlock.jobs as j where j.id = m.job_id and j.token = m.token and j.held_slots is not null)
    order by m.created_at
    limit p_limit
  )
  delete from interlock.job_messages as m
  using old as o
  where m.id = o.id;

  delete from interlock.agent_stats as a
  where a.state = 'gone'
    and a.ended_at < v_now - interval '1 day';
  get diagnostics agents = row_count;
  return next;
end
$$;

comment on function interlock.prune_history(integer, integer, integer) is
  'Lets the past go: whole partitions of job_queue_log older than p_log_days and of task_history older than p_history_days (0: keep for ever), results past their retention, output of ended jobs, questions with their answers and idempotency keys as old as the log (up to p_limit each), agents gone for a day. Returns how many of each. Run by the crontab.
Locks: the key partitions; then one of the two tables, exclusively, where partitions are dropped (the other''s turn is at the next call: holding one and waiting for the other, it could meet a verb that does the opposite); waits 1 s at most and raises 55P03 then, so that a long reader does not stop every verb behind this one.';

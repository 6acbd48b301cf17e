create function interlock.prune_history(
  p_log_days integer default 7, p_history_days integer default 365, p_limit integer default 10000,
  p_output_days integer default 7, p_key_days integer default 7
) returns table (partitions integer, results integer, outputs integer, keys integer, messages integer, dependencies integer, executions integer, dead_letters integer, agents integer, is_held_up boolean)
language plpgsql
set search_path = ''
set lock_timeout = '100ms'
as $$
declare
  v_now timestamptz := interlock.clock();
  v_wrong text;
  v_name text;
  v_table text;
  v_first_table text;
  v_dead text[];
  v_transaction xid8;
begin
  select n.field
  into v_wrong
  from (values ('log_days', p_log_days), ('history_days', p_history_days), ('output_days', p_output_days), ('key_days', p_key_days)) as n (field, days)
  where n.days is null
    or n.days not between 0 and 36500
  limit 1;
  if found then
    raise exception using errcode = 'IL005', message = pg_catalog.format('%s must be 0 (for ever) to 36500', v_wrong), column = v_wrong;
  end if;
  p_limit := interlock.row_limit(p_limit);

  partitions := 0;
  results := 0;
  outputs := 0;
  keys := 0;
  messages := 0;
  dependencies := 0;
  executions := 0;
  dead_letters := 0;
  agents := 0;
  is_held_up := not pg_catalog.pg_try_advisory_xact_lock(interlock.lock_key('prune'));
  if is_held_up then
    return next;
    return;
  end if;

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
    where p_output_days > 0
      and o.created_at < v_now - p_output_days * interval '1 day'
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
    where p_key_days > 0
      and k.created_at < v_now - p_key_days * interval '1 day'
    order by k.created_at
    limit p_limit
  )
  delete from interlock.idempotency_keys as k
  using old as o
  where k.key = o.key;
  get diagnostics keys = row_count;

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
  get diagnostics messages = row_count;

  with old as (
    select d.job_id, d.parent_id
    from interlock.job_dependencies as d
    where p_log_days > 0
      and d.settled_at < v_now - p_log_days * interval '1 day'
      and not exists (select from interlock.jobs as j where j.id = d.job_id)
    order by d.settled_at
    limit p_limit
  )
  delete from interlock.job_dependencies as d
  using old as o
  where d.job_id = o.job_id
    and d.parent_id = o.parent_id;
  get diagnostics dependencies = row_count;

  with old as (
    select e.id
    from interlock.workflow_executions as e
    where p_history_days > 0
      and e.created_at < v_now - p_history_days * interval '1 day'
      and not exists (select from interlock.jobs as j where j.id = any (e.job_ids))
    order by e.created_at
    limit p_limit
  )
  delete from interlock.workflow_executions as e
  using old as o
  where e.id = o.id;
  get diagnostics executions = row_count;

  delete from interlock.agent_stats as a
  where a.state = 'gone'
    and a.ended_at < v_now - interval '1 day';
  get diagnostics agents = row_count;

  -- Somebody who requeues one has its row, and it is no dead letter any more.
  v_dead := array(
    select j.id
    from interlock.jobs as j
    join interlock.queues as q on q.name = j.queue
    where j.status = 'failed'
      and q.dead_letter_retention_seconds > 0
      and j.finished_at <= v_now - q.dead_letter_retention_seconds * interval '1 second'
    order by j.finished_at
    limit least(p_limit, 1000)
    for no key update of j skip locked
  );
  dead_letters := case when v_dead = '{}' then 0 else interlock.end_jobs(v_dead, 'deleted', v_now, 'its time as a dead letter is over', 'retention') end;

  -- Last, for the lock that it takes is in everybody's way until the commit.
  begin
    -- One at a time, and not beside ensure_partitions(): what is listed is to be there when it is dropped.
    perform pg_catalog.pg_advisory_xact_lock(interlock.lock_key('partitions'));
    for v_table, v_name in
      select i.inhparent::regclass::text, c.relname
      from pg_catalog.pg_inherits as i
      join pg_catalog.pg_class as c on c.oid = i.inhrelid
      where (i.inhparent = 'interlock.job_queue_log'::regclass
          and c.relname ~ '_[0-9]{8}$' and p_log_days > 0
          and pg_catalog.to_date(pg_catalog.right(c.relname, 8), 'YYYYMMDD') + 1 <= (v_now at time zone 'UTC')::date - p_log_days)
        or (i.inhparent in ('interlock.task_history'::regclass, 'interlock.audit_log'::regclass)
          and c.relname ~ '_[0-9]{6}$' and p_history_days > 0
          and pg_catalog.to_date(pg_catalog.right(c.relname, 6), 'YYYYMM') + interval '1 month' <= (v_now at time zone 'UTC')::date - p_history_days)
      order by c.relname
    loop
      v_first_table := coalesce(v_first_table, v_table);
      exit when v_table <> v_first_table;
      if v_table = 'interlock.job_queue_log' then
        execute pg_catalog.format('select l.transaction_id from interlock.%I as l order by l.transaction_id desc limit 1', v_name) into v_transaction;
      end if;
      execute pg_catalog.format('drop table interlock.%I', v_name);
      if v_transaction is not null then
        update interlock.installation as i
        set log_pruned_through = greatest(i.log_pruned_through, v_transaction);
      end if;
      partitions := partitions + 1;
    end loop;
  exception
    when lock_not_available then
      partitions := 0;
      is_held_up := true;
  end;
  return next;
end
$$;

comment on function interlock.prune_history(integer, integer, integer, integer, integer) is
  'Lets the past go: results past their retention, output of ended jobs older than p_output_days, idempotency keys older than p_key_days, questions with their answers, and what ended jobs had depended on, as old as the log, runs of workflows as old as the history, agents gone for a day, dead letters past their queue''s retention (deleted, 1000 a call), up to p_limit of each; then whole partitions of job_queue_log older than p_log_days and of task_history and audit_log older than p_history_days (0 days: keep for ever). Returns how many of each; is_held_up says that another prunes at the moment, or that partitions were to go and somebody reads them: the next call tries again. Who calls it calls again while something was pruned. What read_events() can no longer show is remembered. Run by the crontab.
Locks: the key prune, if it is free; rows that nobody else changes, and dead letters SKIP LOCKED; then the key partitions and one of the three tables, exclusively, where partitions are dropped (the other''s turn is at the next call: holding one and waiting for the other, it could meet a verb that does the opposite); then the row of the installation. It waits for them 100 ms at most: so long is the longest that a long reader makes others wait behind this one. Raises IL005.';

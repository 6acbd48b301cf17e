create function interlock.log_lifetime()
returns table (lifetime text, starts_after bigint, pruned_through xid8)
language plpgsql
set search_path = ''
as $$
declare
  v_system bigint := (pg_catalog.pg_control_system()).system_identifier;
begin
  if exists (select from interlock.installation as i where i.system_identifier <> v_system) then
    perform interlock.begin_log_anew(v_system);
  end if;
  select i.log_starts_after, i.log_pruned_through
  into starts_after, pruned_through
  from interlock.installation as i;
  starts_after := coalesce(starts_after, 0);
  -- After a point in time was restored or a standby promoted, the same numbers may stand for other transactions.
  lifetime := pg_catalog.left(pg_catalog.md5(pg_catalog.format('%s/%s/%s',
    v_system,
    pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8),
    (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database()))), 8);
  return next;
end
$$;

comment on function interlock.log_lifetime() is
  'Within what the numbers of transactions in job_queue_log can be compared: a word for this server, its timeline and this database; the last line that came with a dump; the latest transaction of which lines were dropped. The first that asks after a dump was restored begins the log anew (begin_log_anew()).';

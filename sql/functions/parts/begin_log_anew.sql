create function interlock.begin_log_anew(p_system_identifier bigint) returns void
language plpgsql
security definer
set search_path = ''
set lock_timeout = '1s'
as $$
declare
  v_last bigint;
begin
  -- Nobody is in the midst of writing then: what has a lower number is from the dump, or from before the first reader.
  lock table interlock.job_queue_log in share row exclusive mode;
  select case when s.is_called then s.last_value else 0 end
  into v_last
  from interlock.job_queue_log_id_seq as s;
  update interlock.installation as i
  set system_identifier = p_system_identifier,
      log_starts_after = v_last,
      log_pruned_through = null
  where i.system_identifier <> p_system_identifier
    and p_system_identifier = (pg_catalog.pg_control_system()).system_identifier;
  -- The figures are counted on: what the dump brought uncounted, once, whatever its transactions are numbered.
  if found then
    update interlock.event_cursor as c
    set counted_from = '0',
        mark_id = greatest(c.mark_id, v_last),
        mark_from = pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()),
        mark_xid = pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot());
  end if;
end
$$;

comment on function interlock.begin_log_anew(bigint) is
  'Once after a dump was restored into another server: remembers how far the log is of the former one, whose numbers of transactions mean nothing here. Does nothing where that is known. SECURITY DEFINER: the first reader does it, who has no right to write.
Locks: job_queue_log against writers, for which it waits a second (55P03: again); then the row of the installation and that of event_cursor.';

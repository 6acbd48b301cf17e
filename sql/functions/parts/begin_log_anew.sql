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
end
$$;

comment on function interlock.begin_log_anew(bigint) is
  'Once after a dump was restored into another server: remembers how far the log is of the former one, whose numbers of transactions mean nothing here. Does nothing where that is known. SECURITY DEFINER: the first reader does it, who has no right to write.
Locks: job_queue_log against writers, for which it waits a second (55P03: again); then the row of the installation.';

create function interlock.lock_limits_alone() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform interlock.check_isolation();
  if pg_catalog.pg_current_xact_id_if_assigned() is not null then
    raise exception using
      errcode = 'IL010',
      message = 'this verb must be the first of its transaction, and the only one of its kind',
      hint = 'Call it in a transaction of its own.';
  end if;
  perform pg_catalog.pg_advisory_xact_lock(interlock.lock_key('limits'));
end
$$;

comment on function interlock.lock_limits_alone() is
  'Takes the key limits exclusively: no verb that locks resources is under way, so none of their locks is needed. Raises IL010 as lock_limits() does.';

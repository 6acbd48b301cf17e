create function interlock.lock_limits() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform interlock.check_isolation();
  if pg_catalog.pg_current_xact_id_if_assigned() is not null then
    raise exception using
      errcode = 'IL010',
      message = 'this verb must be the first of its transaction, and the only one of its kind',
      hint = 'It locks resources in an order that a transaction with earlier writes could turn into a deadlock. Call it in a transaction of its own.';
  end if;
  perform pg_catalog.pg_advisory_xact_lock_shared(interlock.lock_key('limits'));
end
$$;

comment on function interlock.lock_limits() is
  'How every verb that locks resources begins: refuses another isolation level and a transaction that has written (IL010), then takes the key limits, shared, so that no capacity changes under it.';

create function interlock.check_isolation() returns void
language plpgsql
set search_path = ''
as $$
begin
  if pg_catalog.current_setting('transaction_isolation') <> 'read committed' then
    raise exception using
      errcode = 'IL010',
      message = 'this verb needs a transaction at read committed',
      hint = 'It locks, then reads in a later statement; at another level the read would be older than the lock.';
  end if;
end
$$;

comment on function interlock.check_isolation() is
  'Refuses another isolation level than read committed (IL010).';

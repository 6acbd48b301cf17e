create function interlock.equal_digests(p_one bytea, p_other bytea) returns boolean
language sql immutable strict parallel safe
set search_path = ''
as $$
  -- Each byte is looked at, whatever those before it were.
  select pg_catalog.bit_or(pg_catalog.get_byte(p_one, n) # pg_catalog.get_byte(p_other, n)) = 0
  from pg_catalog.generate_series(0, 31) as n
$$;

comment on function interlock.equal_digests(bytea, bytea) is
  'Whether two digests of 32 bytes are the same; takes as long for any two. Null where one is.';

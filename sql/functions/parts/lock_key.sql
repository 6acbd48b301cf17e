create function interlock.lock_key(p_name text) returns bigint
language sql immutable strict parallel safe
as $$ select hashtextextended('interlock:' || p_name, 0) $$;

comment on function interlock.lock_key(text) is
  'The advisory lock of a resource, or of the word limits. Two names that share a key wait for each other and no more.';

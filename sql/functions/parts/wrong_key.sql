create function interlock.wrong_key(p_id text, p_name text, p_scopes text[], p_secret_hash bytea, p_expires_seconds bigint)
returns table (field text, problem text)
language sql immutable
set search_path = ''
as $$
  select c.field, c.problem
  from (values
    (1, 'id', 'id must be 8 to 32 lower case letters and digits', p_id is null or p_id !~ '^[a-z0-9]{8,32}$'),
    (2, 'name', 'name must be 1 to 63 letters, digits and . _ @ -, a letter or digit first', p_name is null or p_name !~ '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$'),
    (3, 'scopes', 'scopes must be one or more of read, enqueue, work, operate, admin',
      p_scopes is null
      or pg_catalog.cardinality(p_scopes) not between 1 and 5
      or pg_catalog.array_ndims(p_scopes) <> 1
      or pg_catalog.array_position(p_scopes, null) is not null
      or not p_scopes <@ '{read,enqueue,work,operate,admin}'),
    (4, 'secret_hash', 'secret_hash must be the 32 bytes of a SHA-256', p_secret_hash is null or pg_catalog.length(p_secret_hash) <> 32),
    (5, 'expires_seconds', 'expires_seconds must be from 1 to 3153600000', p_expires_seconds not between 1 and 3153600000)
  ) as c (place, field, problem, is_wrong)
  where c.is_wrong
  order by c.place
  limit 1
$$;

comment on function interlock.wrong_key(text, text, text[], bytea, bigint) is
  'The first thing that is wrong with a new key, and what; no row for a good one.';

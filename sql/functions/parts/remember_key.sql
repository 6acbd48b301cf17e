create function interlock.remember_key(p_key text, p_digest bytea) returns text[]
language plpgsql
set search_path = ''
as $$
declare
  v_known record;
begin
  if p_key is null or length(p_key) not between 1 and 200 then
    raise exception using errcode = 'IL005', message = 'idempotency_key must have 1 to 200 characters', column = 'idempotency_key';
  end if;
  -- The key first: a second call with it waits here until the first has committed, or has come to nothing.
  insert into interlock.idempotency_keys as k (key, request_digest, job_ids, created_at)
  values (p_key, p_digest, '{}', interlock.clock())
  on conflict (key) do nothing;
  if found then
    return null;
  end if;
  select k.request_digest, k.job_ids
  into strict v_known
  from interlock.idempotency_keys as k
  where k.key = p_key;
  if v_known.request_digest <> p_digest then
    raise exception using
      errcode = 'IL006',
      message = 'this idempotency_key was used for another request',
      column = 'idempotency_key',
      hint = 'A key is for repeating one and the same request; choose another for another.';
  end if;
  return v_known.job_ids;
end
$$;

comment on function interlock.remember_key(text, bytea) is
  'Takes a key of a caller''s own for a request with this digest. Null: it is new, and the caller fills in its job_ids, with the ids of what it made; else what it stands for. Locks the key, before anything else: a call waits for an uncommitted one with the same key. Raises IL005, IL006 where the key was used for another request.';

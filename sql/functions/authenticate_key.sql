create function interlock.authenticate_key(p_id text, p_secret_hash bytea)
returns table (outcome text, name text, scopes text[])
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  -- A key that nobody has is compared with one that no secret hashes to: it takes as long as one with a wrong secret.
  v_nothing bytea := pg_catalog.decode(pg_catalog.repeat('00', 32), 'hex');
  v_key interlock.api_keys;
  v_is_current boolean;
  v_is_previous boolean;
begin
  if p_id is null or pg_catalog.length(p_id) > 32 then
    raise exception using errcode = 'IL005', message = 'id must be 8 to 32 lower case letters and digits', column = 'id';
  end if;
  if p_secret_hash is null or pg_catalog.length(p_secret_hash) <> 32 then
    raise exception using errcode = 'IL005', message = 'secret_hash must be the 32 bytes of a SHA-256', column = 'secret_hash';
  end if;
  select k.*
  into v_key
  from interlock.api_keys as k
  where k.id = p_id;
  v_is_current := interlock.equal_digests(coalesce(v_key.secret_hash, v_nothing), p_secret_hash) and v_key.id is not null;
  v_is_previous := interlock.equal_digests(coalesce(v_key.previous_hash, v_nothing), p_secret_hash) and v_key.previous_hash is not null;
  outcome := case
    when not (v_is_current or v_is_previous) then 'unknown'
    when v_key.revoked_at is not null then 'revoked'
    when v_is_current and v_key.expires_at <= v_now then 'expired'
    when not v_is_current and v_key.previous_until <= v_now then 'expired'
    else 'valid'
  end;
  if outcome <> 'unknown' then
    name := v_key.name;
    scopes := v_key.scopes;
  end if;
  if outcome = 'valid' and coalesce(v_key.last_used_at, '-infinity') < v_now - interval '1 minute' then
    -- Whoever has the row notes the same, or is about to change the key: neither is waited for.
    update interlock.api_keys as k
    set last_used_at = v_now
    where k.id = (
      select x.id
      from interlock.api_keys as x
      where x.id = v_key.id
        and coalesce(x.last_used_at, '-infinity') < v_now - interval '1 minute'
      for no key update skip locked
    );
  end if;
  return next;
end
$$;

comment on function interlock.authenticate_key(text, bytea) is
  'Whose key this is: its id and SHA-256 of its secret. Returns valid, expired, revoked or unknown (no such key, or another secret: nobody is told which), and for whoever knew the secret its name and scopes. Reads one row and compares two digests in constant time, whatever it finds.
Locks: of a valid key that was not used for a minute its row, SKIP LOCKED, to note that; else nothing. Raises IL005 where the arguments have not the shape of a key.';

create function interlock.rotate_key(
  p_id text, p_secret_hash bytea, p_overlap_seconds integer default 86400, p_expires_seconds bigint default null,
  p_actor text default null, p_key_id text default null, p_request_id text default null
) returns timestamptz
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_key interlock.api_keys;
  v_wrong record;
  v_until timestamptz;
begin
  select w.field, w.problem
  into v_wrong
  from interlock.wrong_key('00000000', 'any', '{read}', p_secret_hash, p_expires_seconds) as w;
  if found then
    raise exception using errcode = 'IL005', message = v_wrong.problem, column = v_wrong.field;
  end if;
  if p_overlap_seconds is null or p_overlap_seconds not between 0 and 2592000 then
    raise exception using errcode = 'IL005', message = 'overlap_seconds must be from 0 to 2592000', column = 'overlap_seconds';
  end if;
  v_key := interlock.lock_api_key(p_id);
  if v_key.revoked_at is not null then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('key %s is revoked', p_id),
      hint = 'Make another one.';
  end if;
  if v_key.expires_at <= v_now and p_expires_seconds is null then
    raise exception using
      errcode = 'IL003',
      message = pg_catalog.format('key %s has expired', p_id),
      hint = 'Say for how long the new secret is good.';
  end if;
  -- A secret that had expired is not made good again by the overlap.
  v_until := case
    when v_key.expires_at <= v_now then v_now
    else least(v_now + p_overlap_seconds * interval '1 second', v_key.expires_at)
  end;
  update interlock.api_keys as k
  set secret_hash = p_secret_hash,
      previous_hash = v_key.secret_hash,
      previous_until = v_until,
      rotated_at = v_now,
      expires_at = coalesce(v_now + p_expires_seconds * interval '1 second', v_key.expires_at)
  where k.id = p_id;
  perform interlock.record_audit('rotate_key', 'done', p_id, coalesce(nullif(p_actor, ''), session_user), p_key_id, null, v_key.name, p_request_id);
  return v_until;
end
$$;

comment on function interlock.rotate_key(text, bytea, integer, bigint, text, text, text) is
  'Gives a key another secret (its SHA-256), and with p_expires_seconds another end; the one before stays good for p_overlap_seconds (a day unless set), no longer than it would have been, so that whoever uses it has time to change. Rotated again meanwhile, the one before that is good for nothing. Returns until when the former is good. Writes a line into audit_log.
Locks the key''s row. Raises IL018 key_not_found, IL003 illegal_transition where it is revoked, or has expired and gets no new end, IL005.';

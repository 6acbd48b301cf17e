create function interlock.revoke_key(
  p_id text, p_reason text default null, p_actor text default null, p_key_id text default null, p_request_id text default null
) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_key interlock.api_keys;
begin
  v_key := interlock.lock_api_key(p_id);
  if v_key.revoked_at is not null then
    return false;
  end if;
  update interlock.api_keys as k
  set revoked_at = interlock.clock(),
      previous_hash = null,
      previous_until = null
  where k.id = p_id;
  perform interlock.record_audit('revoke_key', 'done', p_id, coalesce(nullif(p_actor, ''), session_user), p_key_id, null, coalesce(p_reason, v_key.name), p_request_id);
  return true;
end
$$;

comment on function interlock.revoke_key(text, text, text, text, text) is
  'Ends a key for good, with both its secrets: the next authenticate_key() refuses it. Returns false where it was revoked already. Writes a line into audit_log. Its name is free again.
Locks the key''s row. Raises IL018 key_not_found.';

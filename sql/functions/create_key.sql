create function interlock.create_key(
  p_id text, p_name text, p_scopes text[], p_secret_hash bytea, p_expires_seconds bigint default null,
  p_actor text default null, p_key_id text default null, p_request_id text default null
) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
  v_actor text := coalesce(nullif(p_actor, ''), session_user);
  v_wrong record;
begin
  select w.field, w.problem
  into v_wrong
  from interlock.wrong_key(p_id, p_name, p_scopes, p_secret_hash, p_expires_seconds) as w;
  if found then
    raise exception using errcode = 'IL005', message = v_wrong.problem, column = v_wrong.field;
  end if;
  insert into interlock.api_keys (id, name, scopes, secret_hash, created_at, created_by, expires_at)
  values (
    p_id,
    p_name,
    array(select s from unnest(p_scopes) as s group by s order by array_position('{read,enqueue,work,operate,admin}', s)),
    p_secret_hash,
    v_now,
    pg_catalog.left(v_actor, 200),
    v_now + p_expires_seconds * interval '1 second')
  on conflict do nothing;
  if not found then
    raise exception using
      errcode = 'IL006',
      message = pg_catalog.format('there is a key named %s already', p_name),
      column = 'name',
      hint = 'Rotate it, revoke it, or choose another name: the log knows who did what by it.';
  end if;
  perform interlock.record_audit('create_key', 'done', p_id, v_actor, p_key_id, null,
    pg_catalog.format('%s: %s', p_name, pg_catalog.array_to_string(p_scopes, ', ')), p_request_id);
end
$$;

comment on function interlock.create_key(text, text, text[], bytea, bigint, text, text, text) is
  'Makes a key: its id (8 to 32 lower case letters and digits), whose it is, its scopes (read, enqueue, work, operate, admin), SHA-256 of its secret, and after how many seconds it expires (null: never). Who asks draws the id and 256 random bits as the secret, keeps nothing but il_ID_SECRET, and shows it once. Writes a line into audit_log: by p_actor (who is logged in, unless set) with the key p_key_id in the request p_request_id.
Locks nothing; one with the same name that is being made is waited for. Raises IL005 with the field as COLUMN, IL006 idempotency_conflict where a key of that name is there and not revoked.';

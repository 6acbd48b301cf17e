create function interlock.lock_api_key(p_id text) returns interlock.api_keys
language plpgsql
set search_path = ''
as $$
declare
  v_key interlock.api_keys;
begin
  select k.*
  into v_key
  from interlock.api_keys as k
  where k.id = p_id
  for no key update;
  if not found then
    raise exception using
      errcode = 'IL018',
      message = pg_catalog.format('key %s does not exist', p_id),
      column = 'id',
      hint = 'interlock keys list shows those that there are.';
  end if;
  return v_key;
end
$$;

comment on function interlock.lock_api_key(text) is
  'Locks the row of an API key and returns it. Raises IL018 key_not_found.';

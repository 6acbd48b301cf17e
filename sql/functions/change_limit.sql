create function interlock.change_limit(p_pattern text, p_settings jsonb, p_actor text default null) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_key text;
  v_row record;
begin
  if pg_catalog.jsonb_typeof(p_settings) is distinct from 'object' or p_settings = '{}' then
    raise exception using errcode = 'IL005', message = 'settings must be an object that names what to change', column = 'settings';
  end if;
  select s.key
  into v_key
  from pg_catalog.jsonb_each(p_settings) as s (key, value)
  where case s.key
    when 'is_paused' then pg_catalog.jsonb_typeof(s.value) <> 'boolean'
    when 'capacity' then not (s.value = 'null' or (pg_catalog.jsonb_typeof(s.value) = 'number' and s.value #>> '{}' ~ '^[0-9]{1,6}$'))
    when 'starts_per_minute' then not (s.value = 'null' or (pg_catalog.jsonb_typeof(s.value) = 'number' and s.value #>> '{}' ~ '^[0-9]{1,6}$'))
    else true end
  limit 1;
  if found then
    raise exception using
      errcode = 'IL005',
      message = case v_key
        when 'is_paused' then 'is_paused must be true or false'
        when 'capacity' then 'capacity must be a whole number from 0 to 100000, or null for unlimited'
        when 'starts_per_minute' then 'starts_per_minute must be a whole number from 1 to 100000, or null for any number'
        else pg_catalog.format('%s is not a setting of a resource', v_key) end,
      column = v_key;
  end if;
  if p_settings - 'is_paused' = '{}' then
    perform interlock.pause_resource(p_pattern, (p_settings ->> 'is_paused')::boolean, p_actor);
    return;
  end if;
  -- Locked before it is read: of two that change different settings at once, neither undoes the other's.
  perform interlock.lock_limits_alone();
  select l.capacity, l.starts_per_minute, l.is_paused, l.is_pause_only
  into v_row
  from interlock.resource_limits as l
  where l.pattern = p_pattern;
  if not p_settings ? 'capacity' and coalesce(v_row.is_pause_only, true) then
    raise exception using
      errcode = 'IL005',
      message = pg_catalog.format('%s has no limit of its own: name its capacity too', coalesce(p_pattern, 'null')),
      column = 'capacity',
      hint = 'Null is unlimited; a resource without a limit has capacity 1.';
  end if;
  perform interlock.set_limit(
    p_pattern,
    case when p_settings ? 'capacity' then (p_settings ->> 'capacity')::integer else v_row.capacity end,
    coalesce((p_settings ->> 'is_paused')::boolean, v_row.is_paused, false),
    p_actor,
    case when p_settings ? 'starts_per_minute' then (p_settings ->> 'starts_per_minute')::integer else v_row.starts_per_minute end
  );
end
$$;

comment on function interlock.change_limit(text, jsonb, text) is
  'Changes what is named of a resource''s limit, {capacity (null: unlimited), starts_per_minute (null: any number), is_paused}, and leaves the rest as it is; is_paused alone is pause_resource(), all else set_limit(). Locks as set_limit(). Must be the first of its transaction (IL010). Raises IL005.';

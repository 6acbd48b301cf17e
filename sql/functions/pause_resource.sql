create function interlock.pause_resource(p_resource text, p_paused boolean default true, p_actor text default null) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz;
  v_changed boolean;
begin
  if p_resource is null or not interlock.is_resource_name(p_resource) or p_resource like 'rate:%' then
    raise exception using errcode = 'IL005', message = 'resource must be the name of one (kind:value)', column = 'resource';
  elsif p_paused is null then
    raise exception using errcode = 'IL005', message = 'paused must be true or false', column = 'paused';
  end if;
  perform interlock.lock_limits_alone();
  v_now := interlock.clock();
  if p_paused then
    insert into interlock.resource_limits as l (pattern, is_paused, is_pause_only, updated_at)
    values (p_resource, true, true, v_now)
    on conflict (pattern) do update
    set is_paused = true,
        updated_at = v_now
    where not l.is_paused;
    v_changed := found;
  else
    delete from interlock.resource_limits as l where l.pattern = p_resource and l.is_pause_only;
    v_changed := found;
    update interlock.resource_limits as l
    set is_paused = false,
        updated_at = v_now
    where l.pattern = p_resource
      and l.is_paused;
    v_changed := v_changed or found;
  end if;
  if v_changed then
    insert into interlock.job_queue_log (created_at, event_type, actor, details)
    values (v_now, case when p_paused then 'limit_set' else 'limit_removed' end, p_actor, pg_catalog.jsonb_build_object('pattern', p_resource, 'paused', p_paused));
    perform interlock.apply_limits(p_resource);
  end if;
  return v_changed;
end
$$;

comment on function interlock.pause_resource(text, boolean, text) is
  'Pauses a resource, so that it is granted to nobody (who holds it goes on), or with p_paused false resumes it; its capacity and rate stay what they are. Returns whether that changed anything. Locks as set_limit(). Must be the first of its transaction (IL010). Raises IL005.';

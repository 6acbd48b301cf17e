create function interlock.remove_limit(p_pattern text, p_actor text default null) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  perform interlock.lock_limits_alone();
  delete from interlock.resource_limits as l
  where l.pattern = p_pattern;
  if not found then
    return false;
  end if;
  insert into interlock.job_queue_log (created_at, event_type, actor, details)
  values (interlock.clock(), 'limit_removed', p_actor, pg_catalog.jsonb_build_object('pattern', p_pattern));
  perform interlock.apply_limits(p_pattern);
  perform interlock.apply_limits('rate:' || p_pattern);
  return true;
end
$$;

comment on function interlock.remove_limit(text, text) is
  'Takes a limit away: the resource has the capacity of the longest prefix that is left, else 1; limit:all, queue:NAME and task:NAME apply no more. Returns whether there was one. Locks as set_limit(). Must be the first of its transaction (IL010).';

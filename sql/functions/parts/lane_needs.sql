create function interlock.lane_needs(p_route text, p_task text, p_resources text[], p_resource text) returns boolean
language sql immutable parallel safe
as $$
  select p_resource = any (p_resources)
    -- A manual lock is no work: who waits for room in all must not wait for it to take some.
    or (p_resource in ('limit:all', 'rate:limit:all') and p_route not like 'locks/%')
    or p_resource = 'queue:' || split_part(p_route, '/', 1)
    or p_resource = 'task:' || p_task
    or (p_resource like 'rate:%' and (
      substr(p_resource, 6) = any (p_resources)
      or substr(p_resource, 6) in ('queue:' || split_part(p_route, '/', 1), 'task:' || p_task)))
$$;

comment on function interlock.lane_needs(text, text, text[], text) is
  'Whether a lane needs this resource, by its jobs'' own naming or as a limit.';

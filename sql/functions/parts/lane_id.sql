create function interlock.lane_id(p_route text, p_task text, p_resources text[]) returns uuid
language sql immutable strict parallel safe
as $$
  select encode(substring(sha256(convert_to(
    length(p_route) || ':' || p_route || length(p_task) || ':' || p_task
      || coalesce((select string_agg(length(u.r) || ':' || u.r, '' order by u.n) from unnest(p_resources) with ordinality as u (r, n)), ''),
    'UTF8')) for 16), 'hex')::uuid
$$;

comment on function interlock.lane_id(text, text, text[]) is
  'The lane of a route (queue/permission level), a task and a sorted set of resources: 128 bits of a SHA-256 over them, each with its length in front. Computed, never looked up: enqueueing touches no lane.';

create function interlock.may_reserve(
  p_lane_id uuid, p_rank timestamptz, p_waiting_since timestamptz, p_route text, p_task text, p_resources text[], p_obstacle text, p_now timestamptz
) returns boolean
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select d.needed > 1
    and not d.any_paused
    and extract(epoch from p_now - p_waiting_since) >= q.patience_seconds
    and not exists (
      select
      from interlock.job_lanes as o
      where o.blocked_on = p_obstacle
        and o.route = any (interlock.served_routes(p_now))
        and (o.rank, o.id) < (p_rank, p_lane_id)
    )
  from interlock.queues as q
  cross join lateral (
    select pg_catalog.count(*) as needed, coalesce(pg_catalog.bool_or(m.is_paused or m.capacity = 0), false) as any_paused
    from interlock.lane_demand(p_route, p_task, p_resources) as m
  ) as d
  where q.name = pg_catalog.split_part(p_route, '/', 1)
$$;

comment on function interlock.may_reserve(uuid, timestamptz, timestamptz, text, text, text[], text, timestamptz) is
  'Whether a lane may reserve: it needs several resources, its head has waited longer than the queue''s patience, none of them is paused or switched off, and nobody more senior of a served route is parked on its obstacle. If everybody in a line reserved, one long line would freeze all the users in it.';

create function interlock.first_obstacle(p_route text, p_task text, p_resources text[], p_lane_id uuid, p_rank timestamptz) returns text
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select d.resource
  from interlock.lane_demand(p_route, p_task, p_resources) as d
  where not interlock.can_use(d.resource, p_lane_id, p_rank)
  order by d.ord
  limit 1
$$;

comment on function interlock.first_obstacle(text, text, text[], uuid, timestamptz) is
  'The first resource, in resource order, that a lane cannot use now; null: none stands in its way. For whoever asks why: the answer may be old when it arrives.';

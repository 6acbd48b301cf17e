create function interlock.missing_resources(p_route text, p_task text, p_resources text[], p_held text[]) returns text[]
language sql stable
set search_path = ''
as $$
  select coalesce(pg_catalog.array_agg(d.resource order by d.ord), '{}')
  from interlock.lane_demand(p_route, p_task, p_resources) as d
  where d.resource not like 'rate:%'
    and d.capacity is not null
    and d.resource <> all (p_held)
$$;

comment on function interlock.missing_resources(text, text, text[], text[]) is
  'What a job needs by now, its limits included, and does not hold. Start rates are left out: they come with the resources that they are of.';

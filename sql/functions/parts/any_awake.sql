create function interlock.any_awake(p_routes text[], p_but uuid[] default '{}') returns boolean
language plpgsql stable
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
begin
  return exists (
    select
    from unnest(p_routes) as r (route)
    left join lateral interlock.floor_of(r.route) as f on true
    cross join lateral interlock.awake_from(r.route, f.rank, f.below, f.but, p_but) as l
  );
end
$$;

comment on function interlock.any_awake(text[], uuid[]) is
  'Whether a lane of these routes is awake, but for the ones named. Looks from lane_floors on. Locks nothing.';

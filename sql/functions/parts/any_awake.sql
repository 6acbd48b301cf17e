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
    left join lateral (
      select k.rank, k.below, k.but
      from interlock.lane_floors as k
      where k.route = r.route
        and k.server_started_at = pg_postmaster_start_time()
      order by k.route, k.raised_at desc
      limit 1
    ) as f on true
    cross join lateral (
      (
        select 1
        from interlock.job_lanes as l
        where l.route = r.route
          and l.rank is not null
          and l.blocked_on is null
          and l.rank >= coalesce(f.rank, '-infinity')
          and l.id <> all (p_but)
        order by l.rank
        limit 1
      )
      union all
      (
        select 1
        from interlock.job_lanes as l
        where l.route = r.route
          and l.rank is not null
          and l.blocked_on is null
          and l.awake_by >= f.below
          and l.rank < f.rank
          and l.id <> all (p_but)
        order by l.awake_by, l.rank
        limit 1
      )
      union all
      select 1
      from unnest(f.but) as b (awake_by)
      cross join lateral (
        select 1
        from interlock.job_lanes as l
        where l.route = r.route
          and l.rank is not null
          and l.blocked_on is null
          and l.awake_by = b.awake_by
          and l.rank < f.rank
          and l.id <> all (p_but)
        order by l.awake_by, l.rank
        limit 1
      ) as l
    ) as awake
  );
end
$$;

comment on function interlock.any_awake(text[], uuid[]) is
  'Whether a lane of these routes is awake, but for the ones named. Looks from lane_floors on. Locks nothing.';

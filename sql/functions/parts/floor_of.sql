create function interlock.floor_of(p_route text)
returns table (rank timestamptz, below xid8, but xid8[], raised_at timestamptz)
language sql stable
as $$
  select f.rank, f.below, f.but, f.raised_at
  from interlock.lane_floors as f
  where f.route = p_route
    and f.server_started_at = pg_postmaster_start_time()
  order by f.route, f.raised_at desc
  limit 1
$$;

comment on function interlock.floor_of(text) is
  'The floor of a route, if it was raised by this server: what transactions in progress did is known of no other. Inlined into the caller''s plan, hence without a pinned search_path; all names are qualified.';

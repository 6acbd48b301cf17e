create function interlock.raise_lane_floors(p_routes text[]) returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_routes text[];
  v_places tid[];
begin
  select array_agg(k.route), array_agg(k.place)
  into v_routes, v_places
  from (
    select l.route, l.place
    from unnest(p_routes) as r (route)
    cross join lateral (
      select x.route, x.ctid as place
      from interlock.lane_floors as x
      where x.route = r.route
      order by x.route, x.raised_at desc
      limit 1
      for no key update skip locked
    ) as l
  ) as k;
  if v_routes is null then
    return;
  end if;
  -- In one statement, hence of one snapshot: a transaction below its end is over, or among those in progress, or this very
  -- one, which its own snapshots do not name. What those that are over made awake is to be seen now, and the first of it is
  -- the floor: whatever comes to be awake below it from now on, others will have made so.
  with now as materialized (
    select pg_snapshot_xmax(s.snapshot) as below,
      array(select pg_snapshot_xip(s.snapshot)) || array_remove(array[pg_current_xact_id_if_assigned()], null) as but
    from (select pg_current_snapshot() as snapshot) as s
  )
  update interlock.lane_floors as f
  set rank = coalesce(w.rank, interlock.clock()),
      below = n.below,
      but = n.but,
      raised_at = interlock.clock(),
      server_started_at = pg_postmaster_start_time()
  from now as n
  cross join unnest(v_routes, v_places) as r (route, place)
  cross join lateral (
    select min(l.rank) as rank
    from interlock.lane_floors as x
    cross join lateral interlock.awake_from(
      r.route, case when x.server_started_at = pg_postmaster_start_time() then x.rank end, x.below, x.but, '{}'
    ) as l
    where x.ctid = r.place
  ) as w
  where f.ctid = r.place
    -- One probe each at every look: rather looks that pass by more.
    and cardinality(n.but) <= 100;
end
$$;

comment on function interlock.raise_lane_floors(text[]) is
  'Raises these routes'' lane_floors to the rank of the first lane that is awake. Locks their rows, SKIP LOCKED: waits for nobody. A part of claim_jobs().';

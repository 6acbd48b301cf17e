create function interlock.raise_touch_floor() returns void
language plpgsql
set search_path = ''
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  v_place tid;
begin
  v_place := (
    select f.ctid
    from interlock.touch_floor as f
    order by f.raised_at desc
    limit 1
    for no key update skip locked
  );
  -- In one statement, hence of one snapshot: a transaction below its end is over, or among those in progress, or this very
  -- one, which its own snapshots do not name. Of those that are over, what is not to be seen now never will be.
  with now as materialized (
    select pg_snapshot_xmax(s.snapshot) as next,
      array(select pg_snapshot_xip(s.snapshot)) || array_remove(array[pg_current_xact_id_if_assigned()], null) as in_progress
    from (select pg_current_snapshot() as snapshot) as s
  ),
  known as materialized (
    select n.next, n.in_progress,
      case when f.server_started_at = pg_postmaster_start_time() then f.below else '0' end as below,
      case when f.server_started_at = pg_postmaster_start_time() then f.but else '{}' end as but
    from interlock.touch_floor as f
    cross join now as n
    where f.ctid = v_place
  ),
  raised as materialized (
    select k.in_progress, k.but,
      coalesce((select t.inserted_by from interlock.job_lane_touches as t where t.inserted_by >= k.below order by t.inserted_by limit 1), k.next) as below
    from known as k
  )
  update interlock.touch_floor as f
  set below = r.below,
      but = r.but,
      raised_at = interlock.clock(),
      server_started_at = pg_postmaster_start_time()
  from (
    select x.below, array(
      select p from unnest(x.in_progress) as p where p < x.below
      union
      select t.inserted_by
      from unnest(x.but) as b (inserted_by)
      cross join lateral (
        select y.inserted_by
        from interlock.job_lane_touches as y
        where y.inserted_by = b.inserted_by
        order by y.inserted_by
        limit 1
      ) as t
    ) as but
    from raised as x
  ) as r
  where f.ctid = v_place
    -- One probe each at every look: rather looks that pass by more.
    and cardinality(r.but) <= 100;
end
$$;

comment on function interlock.raise_touch_floor() is
  'Raises touch_floor to the first touch that is there, or to now. Locks its row, SKIP LOCKED: waits for nobody. A part of absorb_touches().';

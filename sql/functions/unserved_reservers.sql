create function interlock.unserved_reservers(p_limit integer default 100) returns uuid[]
language sql stable
set search_path = ''
set enable_seqscan = off
as $$
  select array(
    select l.id
    from interlock.job_lanes as l
    where l.reserving
      and l.route <> all (interlock.served_routes(interlock.clock()))
    order by l.rank
    limit interlock.row_limit(p_limit)
  )
$$;

comment on function interlock.unserved_reservers(integer) is
  'Reserving lanes of routes that are paused or that nobody serves: for stop_reserving(). Locks nothing. Run by the tick.';

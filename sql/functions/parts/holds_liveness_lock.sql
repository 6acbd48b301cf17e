create function interlock.holds_liveness_lock(p_incarnation integer) returns boolean
language sql stable
set search_path = ''
as $$
  select exists (
    select
    from pg_catalog.pg_locks as k
    where k.locktype = 'advisory'
      and k.classid = interlock.agent_lock_class()::oid
      and k.objid = p_incarnation::oid
      and k.objsubid = 2
      and k.granted
      and k.database = (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
  )
$$;

comment on function interlock.holds_liveness_lock(integer) is
  'Whether a session of this incarnation holds its liveness lock at this moment.';

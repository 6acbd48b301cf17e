create function interlock.lost_agents()
returns table (agent_id text, reason text)
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := interlock.clock();
begin
  -- An agent that registered and has never been seen with its lock yet is given the same grace.
  update interlock.agent_stats as a
  set lock_missing_since = case when x.is_held then null else v_now end
  from (
    select s.id, exists (
      select
      from pg_catalog.pg_locks as k
      where k.locktype = 'advisory'
        and k.classid = interlock.agent_lock_class()::oid
        and k.objid = s.incarnation::oid
        and k.objsubid = 2
        and k.granted
        and k.database = (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
    ) as is_held
    from interlock.agent_stats as s
    where s.state <> 'gone'
      and s.liveness = 'connection'
    order by s.id
    for no key update of s skip locked
  ) as x
  where a.id = x.id
    and x.is_held <> (a.lock_missing_since is null);
  return query
  select a.id, interlock.why_lost(a, v_now)
  from interlock.agent_stats as a
  where a.state <> 'gone'
    and interlock.why_lost(a, v_now) is not null
  order by a.id
  limit 100;
end
$$;

comment on function interlock.lost_agents() is
  'Looks at the liveness locks of all live agents, notes since when one is missing, and returns who is to be swept by sweep_agent(), with the reason; at most 100 a call. Locks agents'' rows, SKIP LOCKED. Run by the tick of every coordinator.';

create function interlock.ring(p_routes text[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Where it came after the rights were granted, the owner of the verbs has none in it: the tick is behind the bell.
  if pg_catalog.cardinality(p_routes) = 0
    or pg_catalog.to_regnamespace('graphile_worker') is null
    or not pg_catalog.has_schema_privilege('graphile_worker', 'usage') then
    return;
  end if;
  -- Each bell is a NOTIFY, and those serialise commits (16 clients: 5,700 became 2,500 transactions a second). So nobody
  -- rings while every agent is full: whoever finishes a job claims the next. No job_key either: its ringers would wait for each other.
  perform graphile_worker.add_job('dispatch', pg_catalog.json_build_object('route', r.route), max_attempts => 1)
  from (select distinct u.route from pg_catalog.unnest(p_routes) as u (route)) as r
  where exists (
    select
    from interlock.agent_stats as a
    where a.state = 'active'
      and a.active_jobs < a.slots_open
      and r.route = any (a.routes)
      and a.lease_until > interlock.clock()
      and (a.listens_until is null or a.listens_until > interlock.clock())
  );
end
$$;

comment on function interlock.ring(text[]) is
  'The doorbell: for each route of which an agent has room (an unlocked look), a graphile-worker job that says that something may have become startable. It takes effect at the caller''s commit, and is kept if nobody listens. Without graphile-worker, or rights in its schema, it does nothing; the tick is behind it.';

create function interlock.old_snapshots(p_seconds double precision default 60)
returns table (kind text, name text, seconds double precision, what text)
language sql volatile
set search_path = ''
as $$
  select o.kind, o.name, o.seconds, o.what
  from (
    select
      'session' as kind,
      a.pid::text as name,
      extract(epoch from interlock.clock() - a.xact_start)::double precision as seconds,
      pg_catalog.format('%s of %s, %s: %s', a.application_name, a.usename, a.state, pg_catalog.left(a.query, 100)) as what
    from pg_catalog.pg_stat_activity as a
    where (a.backend_xmin is not null or a.backend_xid is not null)
      and a.pid <> pg_catalog.pg_backend_pid()
      and a.xact_start is not null
      and (a.datname = pg_catalog.current_database() or a.datname is null)
      -- It looks at the past, and holds none of it.
      and a.query not like 'autovacuum:%'
    union all
    select 'prepared transaction', p.gid, extract(epoch from interlock.clock() - p.prepared)::double precision,
      pg_catalog.format('of %s: commit it or roll it back', p.owner)
    from pg_catalog.pg_prepared_xacts as p
    where p.database = pg_catalog.current_database()
    union all
    -- They do not say since when: how far behind they are, at the thousand transactions a second that a busy queue has.
    select 'replication slot', s.slot_name::text, pg_catalog.age(coalesce(s.xmin, s.catalog_xmin)) / 1000.0,
      case when s.active then 'in use, and far behind' else 'used by nobody: drop it, or start what it was for' end
    from pg_catalog.pg_replication_slots as s
    where coalesce(s.xmin, s.catalog_xmin) is not null
  ) as o
  where o.seconds >= p_seconds
  order by o.seconds desc
  limit 20
$$;

comment on function interlock.old_snapshots(double precision) is
  'What has kept the past alive for so long: transactions, prepared ones and replication slots. Whatever jobs, touches and slots have died since cannot be cleaned up, and claims read through it: they slow down more with each minute. A session may be ended by pg_terminate_backend(). Others'' sessions are seen by a superuser and by members of pg_read_all_stats only. Locks nothing.';

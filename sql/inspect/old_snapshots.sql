-- Who keeps Postgres from cleaning up: long transactions, prepared ones, slots of replicas; claims slow down meanwhile

select a.pid, a.application_name, a.usename as role, a.client_addr as address, a.state,
  interlock.duration_words(now() - a.xact_start) as transaction_since,
  greatest(age(a.backend_xmin), age(a.backend_xid)) as holds_back,
  left(regexp_replace(a.query, '\s+', ' ', 'g'), 80) as last_statement,
  format('select pg_terminate_backend(%s)', a.pid) as way_out
from pg_stat_activity as a
where a.datname = current_database()
  and a.pid <> pg_backend_pid()
  and a.backend_type = 'client backend'
  and a.xact_start < now() - interval '1 second'
order by a.xact_start
limit 50;

select p.gid as prepared, p.owner as role, interlock.duration_words(now() - p.prepared) as since, age(p.transaction) as holds_back,
  format('rollback prepared %L', p.gid) as way_out
from pg_prepared_xacts as p
where p.database = current_database()
order by p.prepared
limit 50;

select r.slot_name, r.slot_type, r.active, age(r.xmin) as holds_back, age(r.catalog_xmin) as holds_back_catalog,
  case when not r.active then format('select pg_drop_replication_slot(%L)', r.slot_name) end as way_out
from pg_replication_slots as r
where r.xmin is not null
  or not r.active
order by age(r.xmin) desc nulls last
limit 50;

\echo 'What has died in the tables of Interlock and is not yet cleaned up'
select t.relname as table_name, t.n_live_tup as live, t.n_dead_tup as dead,
  interlock.duration_words(now() - greatest(t.last_autovacuum, t.last_vacuum)) as vacuumed_before
from pg_stat_user_tables as t
where t.schemaname = 'interlock'
  and t.n_dead_tup > 0
order by t.n_dead_tup desc
limit 20;

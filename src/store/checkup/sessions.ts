import { type Finding, problem, warning } from '../../domain/finding.ts'
import type { Queryable } from '../queryable.ts'

interface OldTransaction {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly seconds: number
}

const defaultOldSeconds = 60
const veryOldSeconds = 600

/** Whoever keeps the server from cleaning up: claims slow down while what has died cannot go. */
export async function checkOldSnapshots(
  database: Queryable,
  oldSeconds = defaultOldSeconds,
): Promise<readonly Finding[]> {
  const sessions = await database.query<OldTransaction>(
    `select a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?') as name, coalesce(a.state, '?') as state,
            extract(epoch from now() - a.xact_start)::int as seconds
     from pg_stat_activity as a
     where a.datname = current_database()
       and a.pid <> pg_backend_pid()
       and a.backend_type = 'client backend'
       and a.xact_start < now() - $1 * interval '1 second'
       and (a.backend_xmin is not null or a.backend_xid is not null or a.state like 'idle in transaction%')
     order by a.xact_start
     limit 20`,
    [oldSeconds],
  )
  const prepared = await database.query<{ gid: string; seconds: number }>(
    `select p.gid, extract(epoch from now() - p.prepared)::int as seconds
     from pg_prepared_xacts as p
     where p.database = current_database() and p.prepared < now() - $1 * interval '1 second'
     order by p.prepared
     limit 20`,
    [oldSeconds],
  )
  const slots = await database.query<{ name: string; age: number }>(
    `select r.slot_name as name, greatest(age(r.xmin), age(r.catalog_xmin)) as age
     from pg_replication_slots as r
     where not r.active
     limit 20`,
  )
  return [
    ...sessions.map(({ pid, name, state, seconds }) => {
      const say = seconds > veryOldSeconds ? problem : warning
      const what = `the transaction of ${name} (pid ${pid}, ${state}) is open for ${seconds} s, and nothing that died since is cleaned up`
      return say(what, `select pg_terminate_backend(${pid})`)
    }),
    ...prepared.map(({ gid, seconds }) =>
      problem(
        `the prepared transaction ${gid} is open for ${seconds} s`,
        `rollback prepared '${gid.replaceAll("'", "''")}'`,
      ),
    ),
    ...slots.map(({ name, age }) =>
      warning(
        `the replication slot ${name} is used by nobody${age > 0 ? `, and holds ${age} transactions back` : ''}; the server keeps its log for it`,
        `select pg_drop_replication_slot('${name.replaceAll("'", "''")}')`,
      ),
    ),
  ]
}

/** Tables in which more is dead than alive, by much. */
export async function checkBloat(database: Queryable): Promise<readonly Finding[]> {
  const rows = await database.query<{ name: string; live: number; dead: number }>(
    `select t.relname as name, t.n_live_tup::int8 as live, t.n_dead_tup::int8 as dead
     from pg_stat_user_tables as t
     where t.schemaname in ('interlock', 'graphile_worker')
       and t.n_dead_tup > 100000
       and t.n_dead_tup > 4 * t.n_live_tup
     order by t.n_dead_tup desc
     limit 10`,
  )
  return rows.map(({ name, live, dead }) =>
    warning(
      `${name} has ${dead} dead rows beside ${live} living: autovacuum does not keep up`,
      `vacuum (analyze) interlock.${name}; and see old-snapshots above, or lower autovacuum_naptime`,
    ),
  )
}

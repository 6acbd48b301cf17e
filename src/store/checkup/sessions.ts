import { type Finding, problem, warning } from '../../domain/finding.ts'
import type { Queryable } from '../queryable.ts'

interface OldSnapshot {
  readonly kind: 'session' | 'prepared transaction' | 'replication slot'
  readonly name: string
  readonly seconds: number
  readonly what: string
}

const oldSeconds = 60
const veryOldSeconds = 600

const wayOut: Readonly<Record<OldSnapshot['kind'], (name: string) => string>> = {
  session: (pid) => `select pg_terminate_backend(${pid})`,
  'prepared transaction': (gid) => `rollback prepared ${literal(gid)}`,
  'replication slot': (name) => `start what it is for, or: select pg_drop_replication_slot(${literal(name)})`,
}

/** Whoever keeps the server from cleaning up: claims slow down while what has died cannot go. */
export async function checkOldSnapshots(database: Queryable, seconds = oldSeconds): Promise<readonly Finding[]> {
  const rows = await database.query<OldSnapshot>(
    'select o.kind, o.name, o.seconds, o.what from interlock.old_snapshots($1) as o',
    [seconds],
  )
  return rows.map((row) => {
    const say = row.seconds > veryOldSeconds ? problem : warning
    const since = `for ${Math.round(row.seconds)} s nothing that died is cleaned up`
    return say(`${since}: ${row.kind} ${row.name}, ${row.what}`, wayOut[row.kind](row.name))
  })
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
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
      `vacuum (analyze) interlock.${name}; end what holds old snapshots; or lower autovacuum_naptime`,
    ),
  )
}

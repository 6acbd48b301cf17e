import { type Finding, problem, warning } from '../../domain/finding.ts'
import type { Queryable } from '../queryable.ts'

interface Settings {
  readonly fsync: string
  readonly full_page_writes: string
  readonly synchronous_commit: string
  readonly autovacuum: string
  readonly track_counts: string
  readonly isolation: string
  readonly read_only: string
  readonly locks_per_transaction: number
  readonly max_connections: number
  readonly connections: number
  readonly transactions_left: number
}

// The verbs lock up to 256 resources a transaction; the server has room for so many locks in all.
const lockTableMin = 6400

/** What the promises stand on: a server that keeps what it acknowledged, cleans up, and has room. */
export async function checkServerSettings(database: Queryable): Promise<readonly Finding[]> {
  const [row] = await database.query<Settings>(
    `select current_setting('fsync') as fsync,
            current_setting('full_page_writes') as full_page_writes,
            current_setting('synchronous_commit') as synchronous_commit,
            current_setting('autovacuum') as autovacuum,
            current_setting('track_counts') as track_counts,
            current_setting('default_transaction_isolation') as isolation,
            current_setting('default_transaction_read_only') as read_only,
            current_setting('max_locks_per_transaction')::int
              * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) as locks_per_transaction,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as max_connections,
            (select count(*)::int from pg_stat_activity as a where a.backend_type = 'client backend') as connections,
            (select (2147483647 - age(d.datfrozenxid))::int8 from pg_database as d where d.datname = current_database()) as transactions_left`,
  )
  if (row === undefined) throw new TypeError('the settings came without a row')
  const turnOn = (setting: string) => `alter system set ${setting} = on; select pg_reload_conf();`
  const findings: Finding[] = []
  if (row.fsync === 'off')
    findings.push(problem('fsync is off: a crash of the machine can lose everything', turnOn('fsync')))
  if (row.full_page_writes === 'off') {
    findings.push(problem('full_page_writes is off: a crash can tear pages', turnOn('full_page_writes')))
  }
  if (row.synchronous_commit === 'off') {
    const what = 'synchronous_commit is off: a crash loses what was acknowledged in the last moments'
    findings.push(problem(what, turnOn('synchronous_commit')))
  }
  if (row.autovacuum === 'off' || row.track_counts === 'off') {
    const what = 'autovacuum is off: what dies in the tables is never cleaned up, and claims grow slower and slower'
    findings.push(problem(what, `${turnOn('autovacuum')} ${turnOn('track_counts')}`))
  }
  if (row.isolation !== 'read committed') {
    const what = `default_transaction_isolation is ${row.isolation}: the verbs refuse it (IL010)`
    findings.push(problem(what, `alter role current_user reset default_transaction_isolation; and in the database`))
  }
  if (row.read_only === 'on') {
    const remedy = 'alter database … reset default_transaction_read_only; or name the server that takes writes'
    findings.push(problem('new transactions are read-only', remedy))
  }
  if (row.locks_per_transaction < lockTableMin) {
    const what = `the server has room for ${row.locks_per_transaction} locks: many wide jobs at once may find none`
    findings.push(warning(what, 'alter system set max_locks_per_transaction = 64, or more; restart the server'))
  }
  if (row.connections > row.max_connections * 0.9) {
    const what = `${row.connections} of ${row.max_connections} connections are taken`
    findings.push(
      warning(what, 'lower database.pool_size, raise max_connections, or put a pooler in session mode between'),
    )
  }
  if (row.transactions_left < 200_000_000) {
    const what = `${row.transactions_left} transactions are left before the server stops taking writes (wraparound)`
    findings.push(problem(what, 'vacuum (freeze) now; see sql/inspect/old_snapshots.sql for who prevents it'))
  }
  return findings
}

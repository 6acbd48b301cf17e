import { InterlockError } from '../domain/errors.ts'
import type { Database } from './database.ts'
import type { Queryable } from './queryable.ts'
import { sqlstateOf } from './sqlstate.ts'
import { checkTransport } from './transport-check.ts'

export const oldestServer = 14

/**
 * Asks the server who it is, so that a wrong address, a wrong password or a server that cannot serve is one clear line
 * before anything else happens. Throws `invalid_argument` for a line that is not safe (transport-check.ts), `unavailable`,
 * or `schema_mismatch` for a server that is too old. Never says the password.
 */
export async function checkServer(
  database: Database,
  { needsTls = true }: { readonly needsTls?: boolean } = {},
): Promise<{ readonly major: number }> {
  if (needsTls) checkTransport(database.url)
  const where = describeUrl(database.url)
  let row: { version: number; name: string; is_standby: boolean } | undefined
  try {
    ;[row] = await database.query<{ version: number; name: string; is_standby: boolean }>(
      `select current_setting('server_version_num')::int as version,
              current_setting('server_version') as name,
              pg_is_in_recovery() as is_standby`,
    )
  } catch (error) {
    throw explain(error, where)
  }
  const major = Math.trunc((row?.version ?? 0) / 10_000)
  if (major < oldestServer) {
    throw new InterlockError('schema_mismatch', `the server at ${where} is Postgres ${row?.name}`, {
      hint: `Interlock needs Postgres ${oldestServer} or later.`,
    })
  }
  if (row?.is_standby === true) {
    throw new InterlockError('unavailable', `the server at ${where} is a standby, which nothing can be written to`, {
      hint: 'Name the primary in DATABASE_URL.',
    })
  }
  if (await changesSessions(database)) {
    throw new InterlockError('unavailable', `the pooler at ${where} gives each transaction another session`, {
      hint: poolerHint,
    })
  }
  return { major }
}

const poolerHint =
  'Coordinators and agents need sessions of their own, to listen and to show that they live: name the server itself in DATABASE_URL, or a pooler with pool_mode = session and ignore_startup_parameters = statement_timeout. Clients that only enqueue may use any.'

const probeRounds = 5

/**
 * Whether a pooler stands between that gives each transaction another session (pool_mode = transaction). A pooler answers
 * with a number of its own for the session; one that keeps sessions does so as well, so it is tried: while a second
 * connection is in a transaction, the first one is somewhere else. Nobody says it of himself.
 */
async function changesSessions(database: Database): Promise<boolean> {
  const first = await database.connect()
  try {
    const backendOf = async (connection: Queryable) =>
      (await connection.query<{ pid: number }>('select pg_backend_pid() as pid'))[0]?.pid
    const before = await backendOf(first)
    if (before === first.processId) return false
    for (let round = 0; round < probeRounds; round += 1) {
      const second = await database.connect()
      try {
        await second.query('begin')
        await backendOf(second)
        if ((await backendOf(first)) !== before) return true
      } finally {
        await second.close()
      }
    }
    return false
  } finally {
    await first.close()
  }
}

/** Host, port and database of a URL: what may be printed of it. */
export function describeUrl(url: string): string {
  try {
    const { hostname, port, pathname, searchParams } = new URL(url)
    const host = hostname || searchParams.get('host') || 'localhost'
    return `${host}:${port || searchParams.get('port') || '5432'}/${decodeURIComponent(pathname.slice(1))}`
  } catch {
    return 'the address in DATABASE_URL'
  }
}

function explain(error: unknown, where: string): InterlockError {
  if (!(error instanceof InterlockError) || error.code === 'internal') {
    const why = error instanceof Error ? error.message : String(error)
    return new InterlockError('unavailable', `the server at ${where} gave an answer that is not Postgres: ${why}`, {
      cause: error,
    })
  }
  const refused = sqlstateOf(error) !== null
  if (/unsupported startup parameter/.test(error.message)) {
    return new InterlockError('unavailable', `the pooler at ${where} refuses: ${error.message}`, {
      hint: poolerHint,
      cause: error,
    })
  }
  return new InterlockError(
    'unavailable',
    refused ? `the server at ${where} refuses: ${error.message}` : `no server answers at ${where}: ${error.message}`,
    { hint: error.hint ?? 'Is it running, and is DATABASE_URL right?', cause: error },
  )
}

import { InterlockError } from '../domain/errors.ts'
import type { Database } from './database.ts'
import { sqlstateOf } from './sqlstate.ts'

export const oldestServer = 14

/**
 * Asks the server who it is, so that a wrong address, a wrong password or a server that cannot serve is one clear line
 * before anything else happens. Throws `unavailable`, or `schema_mismatch` for a server that is too old. Never says the
 * password.
 */
export async function checkServer(database: Database): Promise<{ readonly major: number }> {
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
  return { major }
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
  return new InterlockError(
    'unavailable',
    refused ? `the server at ${where} refuses: ${error.message}` : `no server answers at ${where}: ${error.message}`,
    { hint: error.hint ?? 'Is it running, and is DATABASE_URL right?', cause: error },
  )
}

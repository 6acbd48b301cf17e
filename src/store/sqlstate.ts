import { type ErrorCode, InterlockError } from '../domain/errors.ts'

// The one table from SQLSTATE to code. Class IL is raised by the verbs; the rest is Postgres speaking.
const interlockCodes: Readonly<Record<string, ErrorCode>> = {
  IL001: 'job_not_found',
  IL002: 'stale_token',
  IL003: 'illegal_transition',
  IL004: 'agent_not_active',
  IL005: 'invalid_argument',
  IL006: 'idempotency_conflict',
  IL007: 'queue_full',
  IL008: 'not_permitted',
  IL009: 'not_held',
  IL010: 'wrong_transaction',
  IL011: 'unknown_task',
  IL012: 'queue_not_found',
  IL013: 'workflow_not_found',
  IL014: 'schedule_not_found',
  IL018: 'key_not_found',
  IL015: 'events_lost',
}

const postgresCodes: Readonly<Record<string, readonly [code: ErrorCode, hint: string | null]>> = {
  // Checks that the verbs make first; what slips past them is still the caller's fault.
  '22003': ['invalid_argument', null],
  '22007': ['invalid_argument', null],
  '22008': ['invalid_argument', null],
  '22021': ['invalid_argument', null],
  '22P02': ['invalid_argument', null],
  '22P05': ['invalid_argument', null],
  // The unique keys of jobs alone; the verbs look first, and this is for who slipped past them.
  '23505': ['idempotency_conflict', 'Another unfinished job has this unique_key.'],
  '23514': ['invalid_argument', null],
  '25006': ['unavailable', 'The server is read-only: a standby, or one that is being replaced.'],
  '28000': ['unavailable', 'The server refuses this user; see the user and database in DATABASE_URL.'],
  '28P01': ['unavailable', 'The server refuses this password; see DATABASE_URL.'],
  '3D000': ['unavailable', 'The server has no such database; create it, or name another in DATABASE_URL.'],
  '3F000': ['schema_mismatch', 'Run `interlock migrate up`.'],
  '40001': ['unavailable', 'Try again.'],
  '40P01': ['unavailable', 'Try again.'],
  '42501': ['not_permitted', 'The database role lacks a right.'],
  '42883': ['schema_mismatch', 'Run `interlock migrate up`.'],
  '42P01': ['schema_mismatch', 'Run `interlock migrate up`.'],
  '55P03': ['unavailable', 'Something holds a lock for long; see pg_stat_activity.'],
  '57014': ['unavailable', 'The statement took too long.'],
  '57P01': ['unavailable', null],
  '57P02': ['unavailable', null],
  '57P03': ['unavailable', 'The server is starting or stopping.'],
  '57P05': ['unavailable', null],
}

const unavailableClasses = new Set(['08', '53'])

// What Node and pg say when no server answers: they carry an errno, or nothing but their message.
const unavailableErrnos = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
])
const unavailableMessages =
  /^(Connection terminated|timeout e(xceeded|xpired)|Query read timeout|Client (was closed|has encountered a connection error|network socket disconnected)|The server does not support SSL|There was an error establishing an SSL connection|Cannot use a pool after calling end)/

// What OpenSSL and Node call a certificate that is none for us, and a line on which TLS does not come about.
const tlsRefusals =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|ERR_(TLS|SSL)_|EPROTO$)/
const tlsHint =
  'See sslrootcert and the host in DATABASE_URL: the certificate has to be for that name, by that authority.'

const repeatable = new Set(['40001', '40P01', '55P03'])
const collisions = new Set(['40001', '40P01'])

interface DriverError extends Error {
  readonly code?: string
  readonly column?: string
  readonly constraint?: string
  readonly hint?: string
  readonly severity?: string
}

/** The SQLSTATE of what pg threw, also inside an InterlockError; null when it was not Postgres that refused. */
export function sqlstateOf(error: unknown): string | null {
  if (error instanceof InterlockError) return sqlstateOf(error.cause)
  if (!(error instanceof Error)) return null
  const { code, severity } = error as DriverError
  return severity !== undefined && code !== undefined ? code : null
}

/** Whether repeating the whole transaction is safe, and may well succeed: it was rolled back for its timing alone. */
export function isRepeatable(error: unknown): boolean {
  return repeatable.has(sqlstateOf(error) ?? '')
}

/** Whether it lost against another transaction that has moved on by now: repeated at once, it waits for nobody. */
export function isCollision(error: unknown): boolean {
  return collisions.has(sqlstateOf(error) ?? '')
}

/**
 * Whether this error, thrown by a query, means that its connection can serve no more. One to a read-only server is as good
 * as broken: what was the primary is a standby now, or the session was opened while the database refused writes and would
 * go on refusing them; another may come to a server that takes them.
 */
export function breaksConnection(error: unknown): boolean {
  if (!(error instanceof InterlockError) || error.cause === undefined) return false
  const state = sqlstateOf(error)
  if (state === null || state === '25006') return true
  const { severity } = error.cause as DriverError
  return severity === 'FATAL' || severity === 'PANIC' || state.startsWith('08')
}

/** Whatever pg threw, as an InterlockError with the original as its cause. One that already is comes back as it is. */
export function toInterlockError(error: unknown): InterlockError {
  if (error instanceof InterlockError) return error
  if (!(error instanceof Error)) return new InterlockError('internal', String(error), { cause: error })
  const driver = firstOf(error)
  const state = sqlstateOf(driver)
  if (state === null) return fromConnection(driver)
  const ours = interlockCodes[state]
  if (ours !== undefined) {
    return new InterlockError(ours, driver.message, { field: driver.column, hint: driver.hint, cause: error })
  }
  const [code, hint] = postgresCodes[state] ?? [
    unavailableClasses.has(state.slice(0, 2)) ? 'unavailable' : 'internal',
    null,
  ]
  return new InterlockError(code, driver.message, {
    field: code === 'invalid_argument' ? (driver.column ?? driver.constraint) : null,
    hint: hint ?? driver.hint,
    cause: error,
  })
}

function fromConnection(error: DriverError): InterlockError {
  const isMistrusted = tlsRefusals.test(error.code ?? '')
  const isAway = isMistrusted || unavailableErrnos.has(error.code ?? '') || unavailableMessages.test(error.message)
  return new InterlockError(isAway ? 'unavailable' : 'internal', error.message || (error.code ?? error.name), {
    hint: isMistrusted ? tlsHint : null,
    cause: error,
  })
}

// A name with several addresses fails with one error an address, under an empty message.
function firstOf(error: DriverError): DriverError {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error
}

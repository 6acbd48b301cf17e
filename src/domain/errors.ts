/**
 * The closed list of what can go wrong. SQL raises those before `unavailable` by SQLSTATE (store/sqlstate.ts), every
 * edge has one table from code to status or exit code, and `internal` is logged whole and shown to nobody.
 */
export const errorCodes = [
  'job_not_found',
  'stale_token',
  'illegal_transition',
  'agent_not_active',
  'invalid_argument',
  'idempotency_conflict',
  'queue_full',
  'not_permitted',
  'not_held',
  'wrong_transaction',
  'unknown_task',
  'queue_not_found',
  'workflow_not_found',
  'schedule_not_found',
  'key_not_found',
  'events_lost',
  'unavailable',
  'not_authenticated',
  'schema_mismatch',
  'internal',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface ErrorDetails {
  /** The argument at fault, as the caller wrote it: `priority`, `jobs[3].task`. */
  readonly field?: string | null | undefined
  /** The way out, in one sentence. */
  readonly hint?: string | null | undefined
  readonly cause?: unknown
}

export class InterlockError extends Error {
  override readonly name = 'InterlockError'
  readonly code: ErrorCode
  readonly field: string | null
  readonly hint: string | null

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field ?? null
    this.hint = details.hint ?? null
  }
}

/** Whether this is an InterlockError, and of that code if one is named. */
export function isInterlockError(error: unknown, code?: ErrorCode): error is InterlockError {
  return error instanceof InterlockError && (code === undefined || error.code === code)
}

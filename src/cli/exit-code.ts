import type { ErrorCode } from '../domain/errors.ts'

/** How the command ended, for scripts. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  notPermitted: 5,
  unavailable: 6,
  unhealthy: 7,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The one table from a domain error to an exit code; the same error over HTTP and from the database ends alike. */
const exitByError: Readonly<Record<ErrorCode, ExitCode>> = {
  job_not_found: exitCodes.notFound,
  queue_not_found: exitCodes.notFound,
  workflow_not_found: exitCodes.notFound,
  schedule_not_found: exitCodes.notFound,
  key_not_found: exitCodes.notFound,
  events_lost: exitCodes.conflict,
  stale_token: exitCodes.conflict,
  illegal_transition: exitCodes.conflict,
  agent_not_active: exitCodes.conflict,
  idempotency_conflict: exitCodes.conflict,
  not_held: exitCodes.conflict,
  invalid_argument: exitCodes.usage,
  unknown_task: exitCodes.usage,
  not_authenticated: exitCodes.notPermitted,
  not_permitted: exitCodes.notPermitted,
  queue_full: exitCodes.unavailable,
  unavailable: exitCodes.unavailable,
  schema_mismatch: exitCodes.unavailable,
  wrong_transaction: exitCodes.failed,
  internal: exitCodes.failed,
}

export function exitCodeOf(code: ErrorCode): ExitCode {
  return exitByError[code]
}

import { STATUS_CODES } from 'node:http'
import { ContractError, type Violation } from '../domain/contract.ts'
import { type ErrorCode, isInterlockError } from '../domain/errors.ts'
import { scrub } from '../security/scrub.ts'

/** The one table from code to status. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  job_not_found: 404,
  stale_token: 409,
  illegal_transition: 409,
  agent_not_active: 409,
  invalid_argument: 422,
  idempotency_conflict: 409,
  queue_full: 429,
  not_authenticated: 401,
  not_permitted: 403,
  not_held: 409,
  wrong_transaction: 500,
  unknown_task: 422,
  queue_not_found: 422,
  workflow_not_found: 404,
  schedule_not_found: 404,
  key_not_found: 404,
  events_lost: 410,
  unavailable: 503,
  schema_mismatch: 503,
  internal: 500,
}

const titles: Readonly<Record<string, string>> = {
  job_not_found: 'There is no such job',
  stale_token: 'The token is not the latest one',
  illegal_transition: 'The job is in no state for this',
  agent_not_active: 'The agent is not registered any more',
  invalid_argument: 'The request is not valid',
  idempotency_conflict: 'It exists already',
  queue_full: 'The queue is full',
  not_authenticated: 'This needs a key',
  not_permitted: 'This is not permitted',
  not_held: 'It is not held by the caller',
  unknown_task: 'The queue does not know the task',
  queue_not_found: 'There is no such queue',
  workflow_not_found: 'There is no such workflow',
  schedule_not_found: 'There is no such schedule',
  key_not_found: 'There is no such key',
  events_lost: 'Events after the cursor cannot be had any more',
  unavailable: 'The database does not answer',
  schema_mismatch: 'The database has another version of the schema',
  internal: 'Something is wrong on our side',
}

/** After how many seconds to try again, where that helps. */
const retryAfterSeconds: Partial<Readonly<Record<ErrorCode, number>>> = {
  queue_full: 5,
  unavailable: 2,
  schema_mismatch: 10,
}

/** What is wrong with a request as HTTP, before it means anything to the domain. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string
  readonly hint: string | null
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    options: { readonly hint?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.hint = options.hint ?? null
    this.headers = options.headers ?? {}
  }
}

/** A refusal as RFC 9457 has it, with the domain's code beside it. */
export interface Problem {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    readonly type: string
    readonly title: string
    readonly status: number
    readonly detail: string
    readonly code: string
    readonly field?: string
    readonly hint?: string
    readonly violations?: readonly Violation[]
    readonly request_id: string
  }
}

/** What a caller is told of an error. Whatever is no InterlockError is ours, and its text is not for them. */
export function toProblem(error: unknown, requestId: string): Problem {
  if (error instanceof HttpError) {
    return problem(error.status, error.code, STATUS_CODES[error.status] ?? 'Error', error.message, requestId, {
      headers: error.headers,
      hint: error.hint,
    })
  }
  const isOurs = !isInterlockError(error) || error.code === 'internal' || error.code === 'wrong_transaction'
  if (isOurs) {
    return problem(
      500,
      'internal',
      'Something is wrong on our side',
      'The log has it, by this request_id.',
      requestId,
      {},
    )
  }
  const seconds = retryAfterSeconds[error.code]
  const isUnknown = error.code === 'not_authenticated'
  return problem(statuses[error.code], error.code, titles[error.code] ?? error.code, error.message, requestId, {
    headers: {
      ...(seconds === undefined ? {} : { 'Retry-After': String(seconds) }),
      ...(isUnknown ? { 'WWW-Authenticate': 'Bearer realm="interlock"' } : {}),
    },
    field: error.field,
    hint: error.hint,
    ...(error instanceof ContractError ? { violations: error.violations } : {}),
  })
}

interface Extras {
  readonly headers?: Readonly<Record<string, string>>
  readonly field?: string | null
  readonly hint?: string | null
  readonly violations?: Problem['body']['violations']
}

function problem(
  status: number,
  code: string,
  title: string,
  detail: string,
  requestId: string,
  { headers = {}, field, hint, violations }: Extras,
): Problem {
  return {
    status,
    headers,
    body: {
      type: `urn:interlock:problem:${code}`,
      title,
      status,
      // Whoever sends a key in the wrong place does not get it back, for others to read in their logs.
      detail: scrub(detail),
      code,
      ...(field ? { field } : {}),
      ...(hint ? { hint } : {}),
      ...(violations === undefined ? {} : { violations }),
      request_id: requestId,
    },
  }
}

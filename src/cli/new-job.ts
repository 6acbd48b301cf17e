import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { InterlockError } from '../domain/errors.ts'

/** What `queue add` is told about the new job, as typed. */
export interface NewJobOptions {
  readonly user?: string
  readonly model?: readonly string[]
  readonly resource?: readonly string[]
  readonly priority?: string
  readonly queue?: string
  readonly payload?: string
  readonly metadata?: string
  readonly project?: string
  readonly id?: string
  readonly kind?: string
  readonly runAt?: string
  readonly delay?: string
  readonly runTimeout?: string
  readonly maxAttempts?: string
  readonly retryDelays?: string
  readonly ttl?: string
  readonly permission?: string
  readonly approvedBy?: string
  readonly dependsOn?: readonly string[]
  readonly dependsOnOutcome?: string
  readonly encrypt?: boolean
  readonly uniqueKey?: string
  readonly onDuplicate?: string
  readonly heartbeat?: string
  readonly workOrder?: string
  /** commander turns --no-start into start: false. */
  readonly start: boolean
}

/**
 * The request that was typed, as the contract of every door has it; whether it is right is the contract's to say, so
 * numbers that are none stay text here.
 */
export async function readJobRequest(
  task: string | null,
  prompt: string | null,
  options: NewJobOptions,
): Promise<Record<string, unknown>> {
  const payload = await readPayload(prompt, options)
  const fields = {
    task: task ?? undefined,
    user: options.user,
    project: options.project,
    id: options.id,
    models: options.model,
    resources: options.resource,
    queue: options.queue,
    priority: numberOrText(options.priority),
    payload,
    encrypt: options.encrypt,
    kind: options.kind,
    run_at: options.runAt,
    delay_seconds: numberOrText(options.delay),
    timeout_seconds: numberOrText(options.runTimeout),
    max_attempts: numberOrText(options.maxAttempts),
    retry_delays_seconds: options.retryDelays?.split(',').map((part) => numberOrText(part.trim())),
    ttl_seconds: numberOrText(options.ttl),
    permission_level: options.permission,
    unique_key: options.uniqueKey,
    on_duplicate: options.onDuplicate,
    heartbeat_seconds: numberOrText(options.heartbeat),
    work_order:
      options.workOrder === undefined
        ? undefined
        : parseJson('--work-order', await readText('--work-order', options.workOrder)),
    start: options.start ? undefined : false,
    approved_by: options.approvedBy,
    depends_on: options.dependsOn,
    depends_on_outcome: options.dependsOnOutcome,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

async function readPayload(prompt: string | null, options: NewJobOptions): Promise<unknown> {
  const given =
    options.payload === undefined ? undefined : parseJson('--payload', await readText('--payload', options.payload))
  const metadata = options.metadata === undefined ? undefined : parseJson('--metadata', options.metadata)
  if (prompt === null && metadata === undefined) return given
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) return given
  return {
    ...(given as Record<string, unknown> | undefined),
    ...(prompt === null ? {} : { prompt }),
    ...(metadata === undefined ? {} : { metadata }),
  }
}

/** What an option was given: itself, a file (`@file`), or stdin (`-`). */
export async function readText(option: string, given: string): Promise<string> {
  if (given === '-') return text(process.stdin)
  if (!given.startsWith('@')) return given
  try {
    return await readFile(given.slice(1), 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InterlockError('invalid_argument', `${option} ${given} cannot be read: ${reason}`, { cause: error })
  }
}

export function parseJson(option: string, given: string): unknown {
  try {
    return JSON.parse(given)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InterlockError('invalid_argument', `${option} is not JSON: ${reason}`, { cause: error })
  }
}

function numberOrText(given: string | undefined): number | string | undefined {
  if (given === undefined) return undefined
  return /^-?\d+(\.\d+)?$/.test(given) ? Number(given) : given
}

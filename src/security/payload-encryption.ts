import { createHmac, randomUUID } from 'node:crypto'
import { InterlockError } from '../domain/errors.ts'
import { type JobRequest, maxPayloadBytes } from '../domain/job-request.ts'
import { defaultPriority, priorityNumber, queueOfPriority } from '../domain/priority.ts'
import type { KeyRing } from './key-ring.ts'
import { envelopeField, isSealed, seal } from './payload-envelope.ts'

/** Which payloads are stored encrypted, and with what. */
export interface PayloadEncryption {
  /** Null: this process has no keys. */
  readonly ring: KeyRing | null
  /** Besides those that are enqueued with `encrypt: true`: all jobs of these tasks, and of these queues. */
  readonly tasks: readonly string[]
  readonly queues: readonly string[]
}

export const noEncryption: PayloadEncryption = { ring: null, tasks: [], queues: [] }

/**
 * The jobs as they may be stored: `encrypt` is done and gone. What the configuration says outweighs `encrypt: false`.
 * A job that names no id is given one here, since its payload is bound to it: with an Idempotency-Key always the same, so
 * that who asks again asks for the same.
 */
export function sealJobs(
  { ring, tasks, queues }: PayloadEncryption,
  jobs: readonly JobRequest[],
  idempotencyKey: string | null = null,
): readonly JobRequest[] {
  return jobs.map(({ encrypt, ...job }, index) => {
    const payload = job.payload ?? {}
    const named = (field: string) => (jobs.length === 1 ? field : `jobs[${index}].${field}`)
    // Whoever may read it could else enqueue somebody's envelope again, and have it opened.
    if (isSealed(payload)) throw refused(named('payload'), `must not have a field ${envelopeField} of its own`)
    if (encrypt !== true && !tasks.includes(job.task) && !queues.includes(queueOf(job))) return job
    if (ring === null) {
      throw refused(
        named('encrypt'),
        'cannot be done: there are no encryption keys here',
        'Set INTERLOCK_ENCRYPTION_KEYS.',
      )
    }
    const id = job.id ?? drawJobId(ring, idempotencyKey, index)
    const sealed = seal(ring, id, payload)
    if (Buffer.byteLength(JSON.stringify(sealed)) > maxPayloadBytes) {
      throw refused(named('payload'), 'is too long to be encrypted: the limit is 190 KiB then')
    }
    return { ...job, id, payload: sealed }
  })
}

function queueOf({ queue, priority }: JobRequest): string {
  return queue ?? queueOfPriority(priorityNumber(priority ?? defaultPriority))
}

function drawJobId(ring: KeyRing, idempotencyKey: string | null, index: number): string {
  if (idempotencyKey === null) return randomUUID()
  return createHmac('sha256', ring.current.nonce).update(`id ${index} ${idempotencyKey}`).digest('hex').slice(0, 32)
}

function refused(field: string, problem: string, hint: string | null = null): InterlockError {
  return new InterlockError('invalid_argument', `${field} ${problem}`, { field, hint })
}

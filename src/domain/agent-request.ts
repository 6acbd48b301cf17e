import { z } from 'zod'
import { permissionLevels } from './job.ts'

/** What an agent in any language sends: the limits are those of the verbs. */

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits and . _ -')
const queue = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be a name in lower case')
const percent = z.number().min(0).max(100)
const token = z.int().min(0)

export const defaultLeaseSeconds = 15
/** One call waits no longer, or what stands between would cut it. */
export const maxClaimWaitSeconds = 240

const held = z.strictObject({ job_id: z.string().min(1).max(128), token })

export const registration = z.strictObject({
  name,
  queues: z.array(queue).min(1).max(100),
  slots: z.int().min(1).max(10_000).default(1),
  /** Left out: any. */
  tasks: z.array(z.string().min(1).max(128)).max(1000).optional(),
  permission_levels: z.array(z.enum(permissionLevels)).min(1).max(3).default(['autonomous']),
  host: z.string().min(1).max(255).optional(),
  pid: z.int().min(0).max(2_147_483_647).optional(),
  lease_seconds: z.int().min(1).max(3600).default(defaultLeaseSeconds),
})

export const heartbeat = z.strictObject({
  /** All that it holds, confirmed or not. */
  held: z.array(held).max(10_000).default([]),
  cpu_percent: percent.optional(),
  memory_percent: percent.optional(),
  queue_depth: z.int().min(0).max(1_000_000).optional(),
})

export const claim = z.strictObject({
  limit: z.int().min(1).max(100).default(1),
  /** What it has in hand and has not confirmed yet: it is not told of these again. */
  held: z.array(held).max(10_000).default([]),
})

export const started = z.strictObject({ token })
export const progress = z.strictObject({
  token,
  percent: z.number(),
  description: z.string().max(1024).optional(),
})
/** Where the run of a workflow is, by the name of its step. */
export const step = z.strictObject({ token, step: z.string().min(1).max(100) })
export const output = z.strictObject({
  token,
  chunks: z
    .array(z.strictObject({ stream: z.enum(['stdout', 'stderr']), lines: z.string() }))
    .min(1)
    .max(1000),
})
export const completion = z.strictObject({ token, result: z.unknown().optional() })
export const failure = z.strictObject({
  token,
  error: z.looseObject({ message: z.string().min(1), code: z.string().min(1).max(100).default('failed') }),
  /** auto: after the queue's wait, while attempts are left. */
  retry: z.enum(['auto', 'now', 'never']).default('auto'),
})
export const giveBack = z.strictObject({ token, reason: z.string().max(4096).optional() })

import { z } from 'zod'

// What the doors answer about locks: JSON, snake_case, ISO 8601 times.

const time = z.iso.datetime()
const kind = z.enum(['job', 'lock']).describe('A job that runs, or a manual lock.')
const owner = z.string().nullable().describe('Whose job it is, or whose lock.')
const fences = z
  .record(z.string(), z.int())
  .readonly()
  .describe('By resource, the number of its latest grant: for the systems behind it to refuse a stale holder.')

/** A slot of a resource that somebody holds, or that is reserved for one that waits. */
export const lockView = z
  .object({
    resource: z.string(),
    slot: z.int(),
    state: z.enum(['held', 'reserved']),
    kind,
    job_id: z.string().nullable(),
    owner,
    task: z.string(),
    agent_id: z.string().nullable(),
    since: time.nullable(),
    lease_until: time.nullable(),
    fence: z.int().nullable(),
    capacity: z.int().nullable().describe('Null: unlimited by now.'),
    cancel_requested_at: time.nullable(),
  })
  .readonly()
  .meta({ id: 'Lock' })
export type LockView = z.output<typeof lockView>

/** What the owner of a manual lock is told when it asks. */
export const lockState = z
  .object({
    lock_id: z.string(),
    state: z.enum(['waiting', 'held', 'ended']),
    token: z.int().nullable(),
    fences: fences.nullable(),
    lease_until: time.nullable(),
    reason: z.string().nullable().describe('Why it has ended.'),
  })
  .readonly()
  .meta({ id: 'LockState' })
export type LockStateView = z.output<typeof lockState>

/** A lock that is held: what names it in every later call, and what to hand to the systems behind the resources. */
export const heldLock = z
  .object({ lock_id: z.string(), token: z.int(), fences, lease_until: time })
  .readonly()
  .meta({ id: 'HeldLock' })
export type HeldLockView = z.output<typeof heldLock>

/** What became of a holder when its resource, or its lock, was released. */
export const releasedHolder = z
  .object({
    job_id: z.string(),
    kind,
    status: z
      .enum(['released', 'withdrawn', 'cancelling', 'cancelled'])
      .describe('cancelling: a job, which holds until its process is gone. withdrawn: a lock that waited.'),
  })
  .readonly()
  .meta({ id: 'ReleasedHolder' })
export type ReleasedView = z.output<typeof releasedHolder>

/** One that has held for longer than a sweep allows. */
export const sweptHolder = z
  .object({
    job_id: z.string(),
    kind,
    resources: z.array(z.string()).readonly(),
    owner,
    agent_id: z.string().nullable(),
    held_seconds: z.number(),
    status: z
      .enum(['released', 'held', 'ended', 'running'])
      .describe('Locks: released, held (on a dry run), ended (by itself meanwhile). Jobs are only told of: running.'),
  })
  .readonly()
  .meta({ id: 'SweptHolder' })
export type SweptView = z.output<typeof sweptHolder>

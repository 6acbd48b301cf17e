import { z } from 'zod'
import { jobRequestFields } from '../../domain/job-request.ts'
import { leaseSecondsField, lockRequestFields } from '../../domain/lock-request.ts'
import { heldLock, lockState, lockView, releasedHolder, sweptHolder } from '../../domain/lock-view.ts'
import { seconds, text, wholeNumber } from '../query.ts'

/** One call waits no longer, or what stands between would cut it; who waits longer stays in line and asks again. */
export const maxWaitSeconds = 240
const maxSlots = 1000

const token = z.int().min(0)
const actor = z.string().min(1).max(200).optional()

export const listQuery = z.strictObject({
  resource: jobRequestFields.resources.unwrap().element.optional(),
  owner: text.optional(),
  kind: z.enum(['job', 'lock']).optional(),
  limit: wholeNumber({ min: 1, max: maxSlots }).default(maxSlots),
})
const envelopeFields = { stays_in_line: z.boolean().default(false), actor } as const
/** What is this door's own in the body; the rest is the request. */
export const envelope = z.looseObject(envelopeFields)
/** Both together, to those who write one. The rest is checked by itself: checkLockRequest() knows how much is too much. */
export const lockRequest = z
  .strictObject({
    ...lockRequestFields,
    wait_seconds: z.number().min(0).max(maxWaitSeconds).default(0),
    stays_in_line: envelopeFields.stays_in_line.describe(
      'That it keeps its place when the wait is over (202), to be waited for by wait_for_lock.',
    ),
    actor,
  })
  .meta({ id: 'LockRequest', description: 'Names resource, resources, or both.' })
export const waitQuery = z.strictObject({ owner: text, timeout_seconds: seconds({ max: maxWaitSeconds }).default(30) })
export const extension = z.strictObject({ token, lease_seconds: leaseSecondsField.optional() })
export const releaseQuery = z.strictObject({
  job_id: text.optional(),
  token: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER }).optional(),
  reason: z.string({ error: 'must be given once' }).max(4096).optional(),
  actor: text.optional(),
})
export const sweep = z.strictObject({
  older_than_seconds: z.number().min(0).max(1e9),
  project: text.optional(),
  dry_run: z.boolean().default(false),
  actor,
})

const lockList = z.object({
  locks: z.array(lockView),
  is_truncated: z.boolean().describe('There may be more than the limit let through.'),
})
const released = z.object({ released: z.array(releasedHolder) })

/** What each call answers, by status. */
export const answers = {
  list: { 200: lockList },
  acquire: { 201: heldLock, 202: lockState },
  sweep: { 200: z.object({ dry_run: z.boolean(), locks: z.array(sweptHolder) }) },
  wait: { 200: lockState },
  extend: { 200: heldLock.unwrap().pick({ lock_id: true, lease_until: true }) },
  release: { 200: released, 202: released },
} as const

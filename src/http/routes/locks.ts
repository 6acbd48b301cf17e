import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { InterlockError } from '../../domain/errors.ts'
import { jobRequestFields } from '../../domain/job-request.ts'
import { checkLockRequest, leaseSecondsField } from '../../domain/lock-request.ts'
import { asHeld, giveUp, unheardSeconds, waitForLock } from '../../store/lock-wait.ts'
import { acquireLock, extendLock, listLocks, releaseByKey, sweepLocks } from '../../store/locks.ts'
import { answerSeconds, withDeadline } from '../deadline.ts'
import { seconds, text, wholeNumber } from '../query.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'

/** One call waits no longer, or what stands between would cut it; who waits longer stays in line and asks again. */
const maxWaitSeconds = 240
const maxSlots = 1000

const token = z.int().min(0)
const actor = z.string().min(1).max(200).optional()

const listQuery = z.strictObject({
  resource: jobRequestFields.resources.unwrap().element.optional(),
  owner: text.optional(),
  kind: z.enum(['job', 'lock']).optional(),
  limit: wholeNumber({ min: 1, max: maxSlots }).default(maxSlots),
})
/** What is this door's own in the body; the rest is the request. */
const envelope = z.looseObject({ stays_in_line: z.boolean().default(false), actor })
const waitQuery = z.strictObject({ owner: text, timeout_seconds: seconds({ max: maxWaitSeconds }).default(30) })
const extension = z.strictObject({ token, lease_seconds: leaseSecondsField.optional() })
const releaseQuery = z.strictObject({
  job_id: text.optional(),
  token: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER }).optional(),
  reason: z.string({ error: 'must be given once' }).max(4096).optional(),
  actor: text.optional(),
})
const sweep = z.strictObject({
  older_than_seconds: z.number().min(0).max(1e9),
  project: text.optional(),
  dry_run: z.boolean().default(false),
  actor,
})

/** Who holds what, and locks that people and programs hold by hand. */
export function lockRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/locks', scope: 'read', answer: list },
    { method: 'POST', path: '/locks', scope: 'operate', answer: acquire, isLong: true },
    { method: 'POST', path: '/locks/sweep', scope: 'operate', answer: sweepOld },
    { method: 'GET', path: '/locks/:id/wait', scope: 'operate', answer: wait, isLong: true, auditedBy: 'nobody' },
    { method: 'POST', path: '/locks/:id/extend', scope: 'operate', answer: extend, auditedBy: 'nobody' },
    { method: 'DELETE', path: '/locks/:key', scope: 'operate', answer: release },
  ]

  async function list({ request }: Call): Promise<Answer> {
    const { limit, ...filter } = checkContract(listQuery, { ...request.query })
    const locks = await listLocks(database, filter, limit)
    return { status: 200, body: { locks, is_truncated: locks.length === limit } }
  }

  /** 201: it is held. 202: the wait is over and it stays in line, as was asked. 409: it could not be had, and is not in line. */
  async function acquire({ request, signal, actorOf }: Call): Promise<Answer> {
    const { stays_in_line: stays, actor: given, ...asked } = checkContract(envelope, request.body ?? {})
    const wanted = checkLockRequest(asked)
    if (wanted.wait_seconds > maxWaitSeconds) throw tooLong()
    const lockId = await withDeadline(acquireLock(database, wanted, unheardSeconds, { actor: actorOf(given) }))
    const state = await withDeadline(
      waitForLock(database, lockId, wanted.owner, { waitSeconds: wanted.wait_seconds, signal }),
      wanted.wait_seconds + answerSeconds,
    )
    const held = asHeld(state)
    // Who has left will never extend it.
    if (held !== null && !signal.aborted) return { status: 201, body: held }
    if (stays && state.state === 'waiting' && !signal.aborted) return { status: 202, body: state }
    return withDeadline(giveUp(database, wanted, state)).catch((error: unknown) => {
      if (!signal.aborted) throw error
      throw new InterlockError('unavailable', 'the server stops; the lock was given up', { hint: 'Ask another one.' })
    })
  }

  /** Answers when the lock is held or has ended, or at the timeout with the state as it is then. Keeps it in line. */
  async function wait({ request, signal }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { owner, timeout_seconds: waitSeconds } = checkContract(waitQuery, { ...request.query })
    const state = await withDeadline(
      waitForLock(database, id, owner, { waitSeconds, signal }),
      waitSeconds + answerSeconds,
    )
    return { status: 200, body: state }
  }

  async function extend({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { token: named, lease_seconds: leaseSeconds } = checkContract(extension, request.body ?? {})
    return { status: 200, body: await extendLock(database, id, named, leaseSeconds ?? null) }
  }

  async function release({ request, actorOf }: Call): Promise<Answer> {
    const key = pathParameter(request, 'key')
    const { job_id: jobId, token: named, reason, actor: given } = checkContract(releaseQuery, { ...request.query })
    const released = await releaseByKey(database, key, { jobId, token: named, reason, actor: actorOf(given) })
    // A job was only asked to stop, and holds until its process is gone.
    const isDone = released.every(({ status }) => status !== 'cancelling')
    return { status: isDone ? 200 : 202, body: { released } }
  }

  async function sweepOld({ request, actorOf }: Call): Promise<Answer> {
    const asked = checkContract(sweep, request.body ?? {})
    const options = { dryRun: asked.dry_run, actor: actorOf(asked.actor), project: asked.project }
    const locks = await sweepLocks(database, asked.older_than_seconds, options)
    return { status: 200, body: { dry_run: asked.dry_run, locks } }
  }
}

function tooLong(): InterlockError {
  return new InterlockError('invalid_argument', `wait_seconds must be at most ${maxWaitSeconds}`, {
    field: 'wait_seconds',
    hint: 'With stays_in_line it stays in line afterwards, and GET /locks/:id/wait goes on waiting.',
  })
}

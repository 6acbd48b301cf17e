import { checkContract } from '../../domain/contract.ts'
import { InterlockError } from '../../domain/errors.ts'
import { checkLockRequest } from '../../domain/lock-request.ts'
import { asHeld, giveUp, unheardSeconds, waitForLock } from '../../store/lock-wait.ts'
import { acquireLock, extendLock, listLocks, releaseByKey, sweepLocks } from '../../store/locks.ts'
import { answerSeconds, withDeadline } from '../deadline.ts'
import { type Answer, type Call, idempotencyKey, pathParameter, type Route, replayed } from '../route.ts'
import type { Services } from '../services.ts'
import {
  answers,
  envelope,
  extension,
  listQuery,
  lockRequest,
  maxWaitSeconds,
  releaseQuery,
  sweep,
  waitQuery,
} from './lock-contracts.ts'

/** Who holds what, and locks that people and programs hold by hand. */
export function lockRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/locks',
      scope: 'read',
      name: 'list_locks',
      summary: 'Who holds which resource, or has one reserved: jobs that run, and locks held by hand.',
      query: listQuery,
      answers: answers.list,
      answer: list,
    },
    {
      method: 'POST',
      path: '/locks',
      scope: 'operate',
      name: 'acquire_lock',
      summary:
        'Locks one or several resources for an owner, waiting up to wait_seconds; it is lost unless extended within lease_seconds.',
      body: lockRequest,
      takesIdempotencyKey: true,
      answers: answers.acquire,
      answer: acquire,
      isLong: true,
    },
    {
      method: 'POST',
      path: '/locks/sweep',
      scope: 'operate',
      name: 'sweep_locks',
      summary:
        'Releases the locks that have been held by hand for longer than an age, and tells which jobs have held for as long; dry_run only tells.',
      effect: 'destroy',
      body: sweep,
      answers: answers.sweep,
      answer: sweepOld,
    },
    {
      method: 'GET',
      path: '/locks/:id/wait',
      scope: 'operate',
      name: 'wait_for_lock',
      summary: 'Waits until a lock that stands in line is held or has ended, and keeps its place meanwhile.',
      // Who does not ask for a while is out of the line: to ask is what keeps it there.
      effect: 'change',
      query: waitQuery,
      answers: answers.wait,
      answer: wait,
      auditedBy: 'nobody',
      isLong: true,
    },
    {
      method: 'POST',
      path: '/locks/:id/extend',
      scope: 'operate',
      name: 'extend_lock',
      summary: 'Holds a lock for another lease from now on, as long as before unless lease_seconds says otherwise.',
      body: extension,
      answers: answers.extend,
      answer: extend,
      auditedBy: 'nobody',
    },
    {
      method: 'DELETE',
      path: '/locks/:key',
      scope: 'operate',
      name: 'release_lock',
      summary:
        'Releases a lock by its id, or takes a resource (user:ann) from all that hold it: jobs are asked to stop first, which is answered with 202.',
      query: releaseQuery,
      answers: answers.release,
      answer: release,
    },
  ]

  async function list({ request }: Call): Promise<Answer> {
    const { limit, ...filter } = checkContract(listQuery, { ...request.query })
    const locks = await listLocks(database, filter, limit)
    return { status: 200, body: { locks, is_truncated: locks.length === limit } }
  }

  /**
   * 201: it is held. 202: the wait is over and it stays in line, as was asked. 409: it could not be had, and is not in line.
   * Who leaves during the wait leaves the line; under an Idempotency-Key it may have been cut off, and comes back: the lock
   * stands as long as one that is not polled does, or is held for its lease.
   */
  async function acquire({ request, signal, actorOf }: Call): Promise<Answer> {
    const { stays_in_line: stays, actor: given, ...asked } = checkContract(envelope, request.body ?? {})
    const wanted = checkLockRequest(asked)
    if (wanted.wait_seconds > maxWaitSeconds) throw tooLong()
    const key = idempotencyKey(request)
    const { lockId, isRepeated } = await withDeadline(
      acquireLock(database, wanted, unheardSeconds, { actor: actorOf(given), key }),
    )
    const headers = replayed(isRepeated)
    const state = await withDeadline(
      waitForLock(database, lockId, wanted.owner, { waitSeconds: wanted.wait_seconds, signal }),
      wanted.wait_seconds + answerSeconds,
    )
    const held = asHeld(state)
    // Who has left without a key to come back with will never extend it.
    if (held !== null && (!signal.aborted || key !== null)) return { status: 201, headers, body: held }
    if (stays && state.state === 'waiting' && !signal.aborted) return { status: 202, headers, body: state }
    if (isRepeated && state.state === 'ended') throw ended(wanted.resources, state.reason)
    if (key !== null && signal.aborted) {
      throw new InterlockError('unavailable', 'the server stops', { hint: 'Ask another one, with the same key.' })
    }
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

function ended(resources: readonly string[], reason: string | null): InterlockError {
  const names = resources.join(', ')
  return new InterlockError(
    'not_held',
    `the lock on ${names} that this Idempotency-Key stands for has ended: ${reason}`,
    {
      hint: 'A key is for repeating one and the same request: ask for another lock with another one.',
    },
  )
}

function tooLong(): InterlockError {
  return new InterlockError('invalid_argument', `wait_seconds must be at most ${maxWaitSeconds}`, {
    field: 'wait_seconds',
    hint: 'With stays_in_line it stays in line afterwards, and GET /locks/:id/wait goes on waiting.',
  })
}

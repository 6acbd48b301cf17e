import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError, isInterlockError } from '../domain/errors.ts'
import { asAgentId } from '../domain/ids.ts'
import type { LockRequest } from '../domain/lock-request.ts'
import type { HeldLockView, LockStateView } from '../domain/lock-view.ts'
import { absorbTouches, claimJobs } from './agents.ts'
import { explainJob } from './job-reader.ts'
import type { Motive } from './jobs.ts'
import { acquireLock, pollLock, releaseByKey } from './locks.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'
import { expireLocks } from './upkeep.ts'

/** In whose name manual locks are held, as locks_agent() has it. */
const locksAgent = asAgentId('locks.0')

/** So long a waiting lock outlives the one who waits for it. */
export const unheardSeconds = 20

const lookAfterMs = 20
const lookAtLeastEveryMs = 300
/** So much longer than it was to wait it asks while the database does not answer. */
const insistMs = 3000
/** A coordinator grants within milliseconds; where none runs, those who wait do its work, and not each at every look. */
const grantEveryMs = 1000
const grantRoundsAtMost = 10

export interface LockWait {
  readonly waitSeconds: number
  /** Ends the wait; the lock stays in line. */
  readonly signal?: AbortSignal
}

/**
 * Acquires a lock within the request's wait_seconds, or leaves the line and throws not_held with the reason; so it does
 * when the signal is aborted. Held, it has to be extended within its lease.
 */
export async function acquireAndWait(
  database: Queryable,
  request: LockRequest,
  { actor, signal }: Pick<Motive, 'actor'> & { readonly signal?: AbortSignal },
): Promise<HeldLockView> {
  const { lockId } = await acquireLock(database, request, unheardSeconds, { actor })
  const options = { waitSeconds: request.wait_seconds, ...(signal === undefined ? {} : { signal }) }
  const state = await waitForLock(database, lockId, request.owner, options)
  const held = asHeld(state)
  // Who has left will never extend it.
  if (held !== null && signal?.aborted !== true) return held
  return giveUp(database, request, state)
}

/** Leaves the line, or gives back what was granted at the last moment, and throws not_held with what stood in its way. */
export async function giveUp(database: Queryable, request: LockRequest, state: LockStateView): Promise<never> {
  const names = request.resources.join(', ')
  if (state.state === 'ended') {
    throw new InterlockError('not_held', `the lock on ${names} has ended before it was held: ${state.reason}`)
  }
  const why = await explainJob(database, state.lock_id).catch(() => null)
  await releaseByKey(database, state.lock_id, { token: state.token, actor: request.owner })
  throw new InterlockError(
    'not_held',
    `${names} could not be had within ${request.wait_seconds} s. ${why?.sentence ?? ''}`,
    {
      hint: 'Wait longer, or see who holds what: GET /locks, interlock locks list.',
    },
  )
}

/** Waits until the lock is held or has ended; at the end of the wait it is whatever it is then. Keeps it in line. */
export async function waitForLock(
  database: Queryable,
  lockId: string,
  owner: string,
  { waitSeconds, signal }: LockWait,
): Promise<LockStateView> {
  const deadline = performance.now() + waitSeconds * 1000
  let grantAt = 0
  for (let pauseMs = lookAfterMs; ; pauseMs = Math.min(pauseMs * 1.5, lookAtLeastEveryMs)) {
    if (performance.now() >= grantAt) {
      await grantLocks(database)
      grantAt = performance.now() + grantEveryMs * (0.5 + Math.random())
    }
    const state = await pollLock(database, lockId, owner).catch((error: unknown) => {
      // It stands in line, or holds already, and only we know its id: whoever went now would leave it to its lease.
      if (isInterlockError(error, 'unavailable') && performance.now() < deadline + insistMs) return null
      throw error
    })
    const leftMs = deadline - performance.now()
    if (state !== null && (state.state !== 'waiting' || leftMs <= 0 || signal?.aborted === true)) return state
    const pause = Math.min(pauseMs * (0.8 + 0.4 * Math.random()), state === null ? lookAtLeastEveryMs : leftMs)
    await sleep(pause, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
  }
}

/** The state as a lock that is held; null if it is none. */
export function asHeld({ lock_id, state, token, fences, lease_until }: LockStateView): HeldLockView | null {
  if (state !== 'held' || token === null || fences === null || lease_until === null) return null
  return { lock_id, token, fences, lease_until }
}

/** What a coordinator does for locks: ends those whose owners are gone, and grants what can be. */
async function grantLocks(database: Queryable): Promise<void> {
  try {
    if ((await retryTransient(() => expireLocks(database))) > 0) await retryTransient(() => expireLocks(database))
    for (let round = 0; round < grantRoundsAtMost; round++) {
      const leftOver = await retryTransient(() => absorbTouches(database))
      const claimed = await retryTransient(() => claimJobs(database, locksAgent, 100))
      if (leftOver === 0 && !claimed.hasMore && claimed.contended.length === 0) return
      await sleep(Math.random() * 10)
    }
  } catch (error) {
    // The wait goes on without our help: a coordinator may do better, and the next look tells.
    if (!isInterlockError(error, 'unavailable')) throw error
  }
}

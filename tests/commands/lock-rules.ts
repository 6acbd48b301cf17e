// Manual locks: a lock is a job of the queue `locks` without a process. Its owner asks for it, polls until it has it, and says
// now and then that it is still there.

import { byResourceOrder } from '../property/demand.ts'
import { isLock, type Model, type ModelJob } from './model.ts'
import { disagree, expectRefusal, expectRows, type Situation, theRow, type VerbCall } from './rule.ts'

export interface LockRequest {
  readonly resources: readonly string[]
  readonly owner: string
  readonly leaseSeconds: number
  readonly waitSeconds: number
  readonly priority: number
}

/** The verbs' times are seconds since the run began here. */
export const secondsOf = (time: unknown): number | null =>
  time instanceof Date ? (time.getTime() - Date.UTC(2030, 0, 1)) / 1000 : null

export function acquireLock(request: LockRequest): VerbCall {
  const { resources, owner, leaseSeconds, waitSeconds, priority } = request
  const isRight =
    resources.length > 0 &&
    resources.every((name) => /^[a-z]+:[^*]+$/.test(name) && !name.startsWith('rate:')) &&
    owner.length > 0 &&
    [leaseSeconds, waitSeconds].every((seconds) => seconds >= 1 && seconds <= 86_400) &&
    priority >= 0 &&
    priority <= 3
  return {
    verb: 'acquire_lock',
    parameters: '$1::text[], $2, $3, $4, $5',
    values: [resources, owner, leaseSeconds, waitSeconds, priority],
    shown: `${resources.join(' ')}, ${owner}, lease ${leaseSeconds}, wait ${waitSeconds}, p${priority}`,
    rule: (situation) => {
      const { model, at } = situation
      if (!isRight) {
        expectRefusal(situation, 'IL005')
        return
      }
      const id = String(theRow(situation).lock_id)
      expectRows(situation, [{ status: 'pending' }])
      if (model.jobs.has(id) || model.ended.has(id)) disagree(`the id ${id} was given twice`)
      model.lockOwners.set(id, owner)
      model.jobs.set(id, newLock(id, request, at))
    },
  }
}

function newLock(
  id: string,
  { resources, owner, leaseSeconds, waitSeconds, priority }: LockRequest,
  at: number,
): ModelJob {
  return {
    id,
    status: 'pending',
    task: 'lock',
    queue: 'locks',
    user: owner,
    level: 'autonomous',
    // And one of its own, so that it needs several and may reserve.
    resources: [...new Set([...resources, `lock:${id}`])].toSorted(byResourceOrder),
    priority,
    token: null,
    agent: null,
    held: null,
    attempt: 0,
    maxAttempts: 1,
    askedToStopAt: null,
    progress: null,
    runAt: null,
    expiresAt: null,
    assignedAt: null,
    startedAt: null,
    timeoutSeconds: leaseSeconds,
    retryDelays: null,
    leaseUntil: at + waitSeconds,
    waitSeconds,
  }
}

/** The lock that lives, `ended` where it did, null where there never was one. */
function lockOf(model: Model, id: string): ModelJob | 'ended' | null {
  const job = model.jobs.get(id)
  if (job !== undefined) return isLock(job) ? job : null
  return model.lockOwners.has(id) && model.ended.has(id) ? 'ended' : null
}

export function pollLock(id: string, owner: string): VerbCall {
  return {
    verb: 'poll_lock',
    parameters: '$1, $2',
    values: [id, owner],
    shown: `${id}, ${owner}`,
    rule: (situation) => {
      const { model, isCommit } = situation
      const lock = lockOf(model, id)
      if (isCommit) {
        // One that only looked has locked nothing, and by now something else may be true.
        if (lock !== null && lock !== 'ended') noteOwner(situation, lock)
      } else if (lock === null) expectRefusal(situation, 'IL001')
      else if (lock === 'ended') expectRows(situation, [{ state: 'ended', token: null, fences: null }])
      else if (lock.user !== owner) expectRefusal(situation, 'IL009')
      else {
        expectPolled(situation, lock)
        noteOwner(situation, lock)
      }
    },
  }
}

function expectPolled(situation: Situation, { id, status, held, token, askedToStopAt, leaseUntil }: ModelJob): void {
  const { model, at } = situation
  const isOver = status === 'running' && (leaseUntil ?? 0) <= at
  if (askedToStopAt !== null || isOver || status === 'failed') {
    expectRows(situation, [{ state: 'ended', token: null, fences: null }])
    if (theRow(situation).reason === null) disagree('it has ended, and no reason was given')
    return
  }
  const fences = (held ?? []).filter((name) => name !== `lock:${id}`).map((name) => [name, token] as const)
  const { fences: given, lease_until } = theRow(situation)
  expectRows(situation, [held === null ? { state: 'waiting', token: null, fences: null } : { state: 'held', token }])
  if (held !== null && JSON.stringify(Object.entries(given as object).toSorted()) !== JSON.stringify(fences.toSorted()))
    disagree(`its fences had to be ${JSON.stringify(fences)}, and are ${JSON.stringify(given)}`)
  const expected = leasesAfterPoll(situation, model.jobs.get(id) as ModelJob)
  if (!expected.includes(secondsOf(lease_until) ?? 0))
    disagree(`its lease had to end at ${expected.join(' or ')}, and ends at ${secondsOf(lease_until)}`)
}

/**
 * A held one is written when its owner hears of it, a waiting one only once half of its wait was over as it was looked at,
 * or if it was looked at while it was assigned and was given back before it could be locked.
 */
function leasesAfterPoll({ before, at }: Situation, lock: ModelJob): readonly number[] {
  const { id, status, leaseUntil, waitSeconds, timeoutSeconds } = lock
  if (status === 'assigned') return [at + timeoutSeconds]
  if (status !== 'pending') return [leaseUntil ?? 0]
  const wait = waitSeconds ?? 0
  return [lock, before.jobs.get(id) ?? lock].map((seen) =>
    seen.status === 'assigned' || (seen.leaseUntil ?? 0) <= at + wait / 2 ? at + wait : (leaseUntil ?? 0),
  )
}

function noteOwner(situation: Situation, lock: ModelJob): void {
  const { model, at } = situation
  const { state, lease_until } = theRow(situation)
  const leaseUntil = secondsOf(lease_until)
  if (leaseUntil === null || !leasesAfterPoll(situation, lock).includes(leaseUntil)) return
  if (state === 'held' && lock.status === 'assigned')
    model.change(lock.id, { status: 'running', startedAt: at, leaseUntil })
  if (state === 'waiting' && lock.status === 'pending') model.change(lock.id, { leaseUntil })
}

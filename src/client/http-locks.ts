import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError, isInterlockError } from '../domain/errors.ts'
import type { LockRequest } from '../domain/lock-request.ts'
import type { HeldLockView, LockStateView, ReleasedView } from '../domain/lock-view.ts'
import type { HttpClient } from './http-client.ts'

/** What is released, and whose release it is: the holder's, who names its token, or anybody's. */
export interface Release {
  /** A resource, or the id of a lock. */
  readonly key: string
  readonly jobId: string | null
  readonly token: number | null
  readonly reason: string | null
}

interface Acquiring {
  /** Who asks, for the log. */
  readonly actor: string | null
  readonly signal: AbortSignal
}

/** One call waits at most so long; the lock stays in line between two of them. */
const waitAtOnceSeconds = 25
const answerSeconds = 15
/** A coordinator that does not answer, or has no database, is asked again for so long. */
const insistMs = 3000
const askAgainMs = 300

/**
 * Acquires a lock over as many calls as its wait takes: no proxy between cuts it, and it keeps its place in line. Aborted
 * or out of time it leaves the line.
 */
export async function acquireOverHttp(
  client: HttpClient,
  request: LockRequest,
  { actor, signal }: Acquiring,
): Promise<HeldLockView> {
  const deadline = performance.now() + request.wait_seconds * 1000
  const leftSeconds = () => Math.max(0, (deadline - performance.now()) / 1000)
  // The first call answers at once: whoever is interrupted has to know what to take out of the line.
  let state = await enterLine(client, request, { actor, signal })
  const id = state.lock_id
  try {
    while ('state' in state && state.state === 'waiting' && leftSeconds() > 0) {
      const waitSeconds = Math.min(leftSeconds(), waitAtOnceSeconds)
      state = await client.send<LockStateView>(`/locks/${encodeURIComponent(id)}/wait`, {
        query: { owner: request.owner, timeout_seconds: waitSeconds.toFixed(3) },
        timeoutSeconds: waitSeconds + answerSeconds,
        signal,
      })
    }
    signal.throwIfAborted()
    const held = asHeld(state)
    if (held !== null) return held
    throw await notHeld(client, request, state)
  } catch (error) {
    await releaseOverHttp(client, { key: id, jobId: null, token: null, reason: null }, actor).catch(
      (refused: unknown) => {
        // Ended already, or nobody answers: then it ends with the time that it may be unheard.
        if (!isInterlockError(refused)) throw refused
      },
    )
    throw error
  }
}

/** With a key of its own: an answer that was lost leaves no lock that nobody knows of in its owner's way. */
async function enterLine(
  client: HttpClient,
  request: LockRequest,
  { actor, signal }: Acquiring,
): Promise<LockStateView | HeldLockView> {
  const headers = { 'idempotency-key': randomUUID() }
  const body = { ...request, wait_seconds: 0, stays_in_line: request.wait_seconds > 0, actor: actor ?? undefined }
  const deadline = performance.now() + insistMs
  for (;;) {
    try {
      return await client.send<LockStateView | HeldLockView>('/locks', { method: 'POST', headers, body })
    } catch (error) {
      const isAway = isInterlockError(error, 'unavailable') && !signal.aborted && performance.now() < deadline
      if (!isAway) throw error
      await sleep(askAgainMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
    }
  }
}

export async function releaseOverHttp(
  client: HttpClient,
  release: Release,
  actor: string | null,
): Promise<readonly ReleasedView[]> {
  const { key, jobId, token, reason } = release
  const query = {
    job_id: jobId ?? undefined,
    token: token ?? undefined,
    reason: reason ?? undefined,
    actor: actor ?? undefined,
  }
  const { released } = await client.send<{ readonly released: readonly ReleasedView[] }>(
    `/locks/${encodeURIComponent(key)}`,
    { method: 'DELETE', query },
  )
  return released
}

function asHeld(state: LockStateView | HeldLockView): HeldLockView | null {
  const { lock_id, token, fences, lease_until } = state
  if (('state' in state && state.state !== 'held') || token === null || fences === null || lease_until === null)
    return null
  return { lock_id, token, fences, lease_until }
}

async function notHeld(
  client: HttpClient,
  request: LockRequest,
  state: LockStateView | HeldLockView,
): Promise<InterlockError> {
  const names = request.resources.join(', ')
  if ('state' in state && state.state === 'ended')
    return new InterlockError('not_held', `the lock on ${names} has ended before it was held: ${state.reason}`)
  const why = await client
    .send<{ readonly sentence: string }>(`/jobs/${encodeURIComponent(state.lock_id)}/explain`)
    .catch(() => null)
  return new InterlockError(
    'not_held',
    `${names} could not be had within ${request.wait_seconds} s. ${why?.sentence ?? ''}`,
    {
      hint: 'Wait longer, or see who holds what: interlock locks list.',
    },
  )
}

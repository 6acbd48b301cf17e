import { hostname } from 'node:os'
import { isInterlockError } from '../domain/errors.ts'
import type { LockRequest } from '../domain/lock-request.ts'
import type { HeldLockView } from '../domain/lock-view.ts'
import { LockLease } from './lock-lease.ts'
import type { Transport } from './transport.ts'

const defaultLeaseSeconds = 60
const defaultWaitSeconds = 60

/** What is said of a lock beside its resources, in the words of every other door. */
export interface HoldOptions extends Partial<Omit<LockRequest, 'resources'>> {
  /** Gives up waiting. */
  readonly signal?: AbortSignal
}

/** A manual lock that is held, and extended until it is released. */
export interface HeldLock extends AsyncDisposable {
  readonly id: string
  readonly token: number
  /** By resource: hand them to the systems behind it, which then refuse a stale holder. */
  readonly fences: Readonly<Record<string, number>>
  /**
   * Aborted, with stale_token, when somebody took the lock away, or a little before it ends because nobody answers: stop
   * what you do under it.
   */
  readonly signal: AbortSignal
  /** Done when it is free for others. Throws where nobody answers; the lock ends with its lease then. */
  release(): Promise<void>
}

/** Waits for the lock, and keeps it. Throws not_held with what stands in its way. */
export async function holdLock(
  transport: Transport,
  resources: readonly string[],
  { signal = new AbortController().signal, ...fields }: HoldOptions,
  actor: string | null,
): Promise<HeldLock> {
  const request: LockRequest = {
    owner: actor ?? `${hostname()}/${process.pid}`,
    lease_seconds: defaultLeaseSeconds,
    wait_seconds: defaultWaitSeconds,
    priority: 'normal',
    ...fields,
    resources,
  }
  const held = await transport.acquireLock(request, signal)
  const lost = new AbortController()
  const released = new AbortController()
  const lease = new LockLease({
    seconds: request.lease_seconds,
    extend: () => transport.extendLock(held.lock_id, held.token, request.lease_seconds),
    lost,
    what: `the lock on ${resources.join(', ')} was lost`,
  })
  try {
    // What was granted may be older than we know; what we extend is not.
    await lease.extend()
    signal.throwIfAborted()
  } catch (error) {
    released.abort()
    void lease.keep(released.signal)
    await letGo(transport, held).catch(() => undefined)
    throw error
  }
  void lease.keep(released.signal)
  let releasing: Promise<void> | null = null
  const release = () => {
    released.abort()
    releasing ??= letGo(transport, held)
    return releasing
  }
  return {
    id: held.lock_id,
    token: held.token,
    fences: held.fences,
    signal: lost.signal,
    release,
    // A block that has ended well must not throw for this: the lock ends with its lease.
    [Symbol.asyncDispose]: () =>
      release().catch((error: unknown) => {
        if (!isInterlockError(error, 'unavailable')) throw error
      }),
  }
}

/** That it is ours no more is what was wanted. */
async function letGo(transport: Transport, { lock_id: id, token }: HeldLockView): Promise<void> {
  try {
    await transport.releaseLock(id, token)
  } catch (error) {
    if (isInterlockError(error, 'stale_token') || isInterlockError(error, 'not_held')) return
    if (!isInterlockError(error, 'job_not_found')) throw error
  }
}

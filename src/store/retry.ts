import { setTimeout as sleep } from 'node:timers/promises'
import { isRepeatable } from './sqlstate.ts'

export interface RetryOptions {
  /** How often at most, the first time included; 5 unless set. */
  readonly attempts?: number
  /** The longest first wait; it doubles each time, up to a second, and is drawn at random below that. 20 unless set. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
  /** What is worth repeating: all three unless set. */
  readonly isWorth?: (error: unknown) => boolean
}

/**
 * Repeats the work while the database refuses it for its timing alone: a serialisation failure, a deadlock, a lock
 * timeout. All three roll the whole transaction back, so the work must be a whole transaction. Nothing else is repeated:
 * after a lost connection nobody knows whether it was done.
 */
export async function retryTransient<Result>(
  work: () => Promise<Result>,
  { attempts = 5, waitMs = 20, signal, isWorth = isRepeatable }: RetryOptions = {},
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isWorth(error)) throw error
    }
    // Drawn in full from zero: two that collided would collide again after equal waits.
    await sleep(
      Math.random() * Math.min(waitMs * 2 ** (attempt - 1), 1000),
      undefined,
      signal === undefined ? {} : { signal },
    )
  }
}

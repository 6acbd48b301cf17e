import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError, isInterlockError } from '../domain/errors.ts'

const askAgainMs = 1000

export interface LockLeaseOptions {
  readonly seconds: number
  readonly extend: () => Promise<unknown>
  /** Aborted, with stale_token, when it is lost or about to be. */
  readonly lost: AbortController
  /** What is said then, before the reason. */
  readonly what: string
}

/** A lease as its owner sees it, by a clock that nobody sets: counted from before it was asked for. */
export class LockLease {
  readonly #milliseconds: number
  readonly #extend: () => Promise<unknown>
  readonly #lost: AbortController
  readonly #what: string
  #endsAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ seconds, extend, lost, what }: LockLeaseOptions) {
    this.#milliseconds = seconds * 1000
    this.#extend = extend
    this.#lost = lost
    this.#what = what
  }

  async extend(): Promise<void> {
    const askedAt = performance.now()
    await this.#extend()
    this.#endsAt = askedAt + this.#milliseconds
    // A quarter of it, at most five seconds, is for what it guards to end in.
    const lastMoment = this.#endsAt - Math.min(5000, this.#milliseconds / 4)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#lose('nobody could extend it in time'), lastMoment - performance.now())
  }

  /** Until it is ended, or lost. Never throws. */
  async keep(ended: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([ended, this.#lost.signal])
    let pauseMs = this.#milliseconds / 3
    for (;;) {
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) break
      try {
        await this.extend()
        pauseMs = this.#milliseconds / 3
      } catch (error) {
        // It was released meanwhile, and that is why this was refused.
        if (ended.aborted) break
        if (!isInterlockError(error, 'unavailable')) this.#lose(error instanceof Error ? error.message : String(error))
        pauseMs = Math.min(askAgainMs, this.#milliseconds / 10)
      }
    }
    clearTimeout(this.#timer)
  }

  #lose(why: string): void {
    this.#lost.abort(new InterlockError('stale_token', `${this.#what}: ${why}`))
  }
}

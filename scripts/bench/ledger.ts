import { setTimeout as sleep } from 'node:timers/promises'
import type { Drained, DrainOptions } from './system.ts'
import type { BenchJob } from './workload.ts'

/**
 * Keeps what a drain does, as the workers of any system see it: who runs now, and whether somebody ran beside another
 * with whom they share a key that the system claims to exclude by.
 */
export class Ledger {
  readonly #options: DrainOptions
  readonly #keysOf: (job: BenchJob) => readonly string[]
  readonly #running = new Map<string, number>()
  readonly #claimMs: number[] = []
  readonly #startedMs: number[] = []
  readonly #beganAt = performance.now()
  readonly #finished = Promise.withResolvers<void>()
  #endedAt = this.#beganAt
  #completed = 0
  #overlaps = 0

  constructor(options: DrainOptions, keysOf: (job: BenchJob) => readonly string[]) {
    this.#options = options
    this.#keysOf = keysOf
  }

  /** Everything done, out of time, or told to stop. */
  get isOver(): boolean {
    const { jobs, deadlineSeconds, signal } = this.#options
    return this.#completed >= jobs || signal.aborted || performance.now() - this.#beganAt > deadlineSeconds * 1000
  }

  /** Resolves when it is over, for systems that run by themselves. */
  async over(): Promise<void> {
    const poll = setInterval(() => this.isOver && this.#finished.resolve(), 20)
    await this.#finished.promise
    clearInterval(poll)
  }

  claimed(ms: number): void {
    this.#claimMs.push(ms)
  }

  async run(jobs: readonly BenchJob[]): Promise<void> {
    const now = performance.now() - this.#beganAt
    for (const job of jobs) {
      this.#startedMs.push(now)
      this.#options.onStart?.(job)
      for (const key of this.#keysOf(job)) {
        const others = this.#running.get(key) ?? 0
        if (others > 0) this.#overlaps++
        this.#running.set(key, others + 1)
      }
    }
    const { workMs = 0 } = this.#options
    if (workMs > 0) await sleep(workMs)
    for (const job of jobs) {
      for (const key of this.#keysOf(job)) {
        const left = (this.#running.get(key) ?? 0) - 1
        if (left > 0) this.#running.set(key, left)
        else this.#running.delete(key)
      }
    }
  }

  completed(jobs: number): void {
    this.#completed += jobs
    this.#endedAt = performance.now()
    if (this.#completed >= this.#options.jobs) this.#finished.resolve()
  }

  close(extra: { readonly statements?: number } = {}): Drained {
    // One that got stuck is not measured by what it did before.
    const { jobs, deadlineSeconds, signal } = this.#options
    const ranOut = this.#completed < jobs && !signal.aborted
    const lastedMs = ranOut
      ? Math.max(deadlineSeconds * 1000, this.#endedAt - this.#beganAt)
      : this.#endedAt - this.#beganAt
    return {
      completed: this.#completed,
      seconds: lastedMs / 1000,
      claimMs: this.#claimMs,
      startedMs: this.#startedMs,
      overlaps: this.#overlaps,
      ...extra,
    }
  }
}

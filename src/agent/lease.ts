import { monotonicMs } from './monotonic-clock.ts'

/**
 * Until when the agent knows that it may run what it holds: the moment it *asked* for the last extension that was
 * granted, plus the lease, by a clock that nobody sets. The database counts from when it answered, which is later.
 */
export class Lease {
  #untilMs = Number.NEGATIVE_INFINITY

  get untilMs(): number {
    return this.#untilMs
  }

  get isOver(): boolean {
    return monotonicMs() >= this.#untilMs
  }

  confirm(askedAtMs: number, leaseSeconds: number): void {
    this.#untilMs = Math.max(this.#untilMs, askedAtMs + leaseSeconds * 1000)
  }

  /** Of a new incarnation: what was granted to the former one is void. */
  begin(askedAtMs: number, leaseSeconds: number): void {
    this.#untilMs = askedAtMs + leaseSeconds * 1000
  }

  /** Given back: whoever still waits to write gives up. */
  end(): void {
    this.#untilMs = Number.NEGATIVE_INFINITY
  }
}

/**
 * How long before the lease's end the keeper begins to kill, and twice the time between SIGTERM and SIGKILL: 2 s, less
 * where the lease is so short that a heartbeat would hardly fit before it.
 */
export function killBudgetMsOf(leaseSeconds: number): number {
  return Math.min(2000, (leaseSeconds * 1000) / 3)
}

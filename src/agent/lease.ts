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

/**
 * How long the answer to a heartbeat is waited for. As long as its connection, if it has gone mute, can still be replaced
 * before the keeper begins to kill; and never less than the interval, for a network that is merely slow: one whose
 * answers take a third of the lease costs nobody his lease.
 */
export function answerMsMaxOf(leaseSeconds: number, intervalMs: number): number {
  const leftMs = leaseSeconds * 1000 - killBudgetMsOf(leaseSeconds) - intervalMs
  return Math.max(1000, intervalMs, leftMs * 0.8)
}

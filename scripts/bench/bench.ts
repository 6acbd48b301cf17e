import type { BenchServer, Machine, PostgresSettings } from './bench-server.ts'

/** What every scenario is given. */
export interface Bench {
  readonly server: BenchServer
  readonly sizes: Sizes
  /** Aborted by Ctrl-C: what is under way ends, and what was measured so far is printed. */
  readonly signal: AbortSignal
  /** For whoever waits: one line on stderr. */
  say(line: string): void
  /** A result is kept as soon as there is one. */
  report(result: Result): void
}

export interface Sizes {
  readonly rounds: number
  readonly seed: number
  /** Jobs a round. */
  readonly jobs: number
  readonly users: number
  readonly models: number
  readonly claimers: number
  readonly batches: readonly number[]
  /** Of the peers that fetch in batches: at each size and their own best, or at their own best only. */
  readonly peerBatches: 'each' | 'best'
  readonly blocked: readonly number[]
  readonly lanes: readonly number[]
  readonly gangs: readonly number[]
  /** No round of any system takes longer. */
  readonly deadlineSeconds: number
  readonly latencySeconds: number
  readonly soakMinutes: number
  /** Jobs that wait, and finished ones. */
  readonly status: readonly number[]
}

export interface Result {
  readonly scenario: string
  readonly system: string
  /** What was asked of it. */
  readonly parameters: Readonly<Record<string, number | string>>
  /** How the system was set up for it. */
  readonly settings: Readonly<Record<string, number | string>>
  /** Median of the rounds; null where throughput is not the question. */
  readonly jobs_per_second: number | null
  /** Each round's: those of one scenario were interleaved, so that the nth of two systems stand side by side. */
  readonly rounds: readonly number[]
  readonly figures: Readonly<Record<string, number>>
}

export interface Target {
  readonly name: string
  readonly value: number
  readonly unit: '%' | 'times' | 'ms' | 'bytes'
  /** What is aimed at, in words. */
  readonly aim: string
}

export interface Report {
  readonly machine: Machine
  readonly postgres: PostgresSettings
  readonly seed: number
  readonly interrupted: boolean
  readonly results: readonly Result[]
  readonly targets: readonly Target[]
}

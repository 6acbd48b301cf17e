import type { Database } from '../../src/store/database.ts'
import type { Queryable } from '../../src/store/queryable.ts'
import type { BenchJob } from './workload.ts'

/** A job queue that is measured: Interlock, a peer, or the floor. Each has a database of its own. */
export interface System {
  readonly name: string
  /** How many resources of a job it excludes by. */
  readonly keys: 'all' | 1 | 0
  /** Its own settings, as far as they differ from its defaults. */
  readonly settings: Readonly<Record<string, number | string>>
  readonly database: Database
  /** As fast as it takes them, a thousand at a time. */
  enqueue(jobs: readonly BenchJob[]): Promise<void>
  /** In one call, by this connection or inside this transaction. */
  put(jobs: readonly BenchJob[], by: Queryable): Promise<void>
  /** Puts so many waiting jobs in front of all others, of a user who is busy for ever. */
  block(jobs: number, signal: AbortSignal): Promise<void>
  drain(options: DrainOptions): Promise<Drained>
  /** After a round, outside the clock: takes away what it left, as far as the system does so in the course of time. */
  clear(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface DrainOptions {
  /** Ends when so many are completed, or at the deadline: a slow system gets fewer done, not more time. */
  readonly jobs: number
  /** Jobs a claim, for systems that claim in batches. */
  readonly batch: number
  readonly deadlineSeconds: number
  readonly signal: AbortSignal
  /** How long each batch runs; 0 unless set. */
  readonly workMs?: number
  /** Told of each job as it starts. */
  readonly onStart?: (job: BenchJob) => void
}

export interface Drained {
  readonly completed: number
  /** From the start of the claimers until the last completion. */
  readonly seconds: number
  /** How long each claim took, for systems whose claims can be seen. */
  readonly claimMs: readonly number[]
  /** When each job started, since the start of the claimers. */
  readonly startedMs: readonly number[]
  /** Jobs that ran while another one ran that had a key in common with it. */
  readonly overlaps: number
  /** Statements sent, where they are counted. */
  readonly statements?: number
}

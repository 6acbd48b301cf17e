import type { Database } from '../../src/store/database.ts'
import type { Bench } from './bench.ts'
import { checkLog } from './log-check.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, interleave, reportRounds } from './rounds.ts'
import { quantile } from './statistics.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

const mix = { users: 2000, models: 200 }

/**
 * The run that everything is compared with over time: 20,000 jobs of 2,000 users on 200 models, in a fair and in a fifo
 * queue. Afterwards the log is asked what happened, and the auditor whether anything is wrong.
 */
export async function drains(bench: Bench): Promise<void> {
  const { claimers, jobs } = bench.sizes
  const batch = Math.max(...bench.sizes.batches)
  const schedulings = ['fair', 'fifo'] as const
  await withSystems<readonly InterlockSystem[]>(
    schedulings.map((scheduling) =>
      on(bench, `drain_${scheduling}`, (url) => InterlockSystem.open(url, { claimers, scheduling })),
    ),
    async (...systems) => {
      const contestants = systems.map(
        (system, index): Contestant => ({
          system,
          parameters: { scheduling: schedulings[index] ?? '', jobs, ...mix, batch },
          batch,
          jobsOf: (seed) => randomJobs(jobs, mix, seed),
          countsWal: true,
        }),
      )
      const rounds = await interleave(bench, 'drain', contestants)
      for (const [index, contestant] of contestants.entries()) {
        const verdict = await checkLog(contestant.system.database)
        reportRounds(bench, 'drain', contestant, rounds[index] ?? [], {
          lost_or_twice: verdict.lostOrTwice,
          log_overlaps: verdict.overlaps,
          violations: verdict.violations,
        })
      }
    },
  )
}

export interface OneDrainOptions {
  readonly jobs: number
  readonly users: number
  readonly models: number
  readonly claimers: number
  readonly batch: number
  readonly seed: number
}

export interface OneDrain {
  readonly completed: number
  readonly jobsPerSecond: number
  readonly claimMsMedian: number
  readonly claimMsP99: number
}

/** One drain of a database that is there already, as tests want it. */
export async function drain(database: Database, options: OneDrainOptions): Promise<OneDrain> {
  const { jobs, users, models, claimers, batch, seed } = options
  const system = new InterlockSystem(database, { claimers })
  await system.enqueue(randomJobs(jobs, { users, models }, seed))
  // What enqueueing has left to do for autovacuum and the checkpointer is done now, not beside what is measured.
  await database.query('vacuum analyze')
  await database.query('checkpoint')
  const { completed, seconds, claimMs } = await system.drain({
    jobs,
    batch,
    deadlineSeconds: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
  })
  return {
    completed,
    jobsPerSecond: completed / seconds,
    claimMsMedian: quantile(claimMs, 0.5),
    claimMsP99: quantile(claimMs, 0.99),
  }
}

import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, interleave, reportRounds } from './rounds.ts'
import { quantile, steps } from './statistics.ts'
import type { System } from './system.ts'
import { GraphileWorkerSystem } from './systems/graphile-worker.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { PgBossSystem } from './systems/pg-boss.ts'
import { randomJobs } from './workload.ts'

/**
 * One model that every job needs: a chain, each link of which is a completion and the claim of the next. A hand-over is
 * the time from the start of a job that does nothing to the start of the next one.
 */
export async function serial(bench: Bench): Promise<void> {
  const { users, jobs } = bench.sizes
  const byModel = ({ models }: { readonly models: readonly string[] }) => models[0] ?? 'busy'
  await withSystems<readonly System[]>(
    [
      on(bench, 'serial', (url) => InterlockSystem.open(url, { claimers: 1 })),
      on(bench, 'serial_graphile', (url) => GraphileWorkerSystem.open('graphile-worker', url, byModel)),
      on(bench, 'serial_graphile_tuned', (url) => GraphileWorkerSystem.open('graphile-worker-tuned', url, byModel)),
      on(bench, 'serial_boss', (url) => PgBossSystem.open('singleton', url, byModel)),
    ],
    async (...systems) => {
      const contestants = systems.map(
        (system): Contestant => ({
          system,
          parameters: { users, models: 1, batch: 1 },
          batch: 1,
          jobsOf: (seed) => randomJobs(Math.ceil(jobs / 10), { users, models: 1 }, seed),
        }),
      )
      const rounds = await interleave(bench, 'serial', contestants)
      for (const [index, contestant] of contestants.entries()) {
        const handovers = (rounds[index] ?? []).flatMap(({ startedMs }) => steps(startedMs))
        reportRounds(bench, 'serial', contestant, rounds[index] ?? [], {
          handover_ms_p50: quantile(handovers, 0.5),
          handover_ms_p99: quantile(handovers, 0.99),
        })
      }
    },
  )
}

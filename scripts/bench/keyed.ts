import type { Bench } from './bench.ts'
import { checkLog } from './log-check.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, countOverlaps, interleave, reportRounds } from './rounds.ts'
import type { System } from './system.ts'
import { BareSystem } from './systems/bare.ts'
import { GraphileWorkerSystem } from './systems/graphile-worker.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { PgBossSystem } from './systems/pg-boss.ts'
import { randomJobs } from './workload.ts'

/** What pg-boss is fastest with, fetched by hand. */
const bestPgBossBatch = 1000

/**
 * A user and a model for each job, of many of both. Interlock excludes by both; the peers by the user only, because they
 * can do no more; the floor by nothing. graphile-worker has its own ways of fetching, so it runs once, in the group of
 * the largest batch; pg-boss also at its own best.
 */
export async function keyed(bench: Bench): Promise<void> {
  const { claimers, users, models, jobs, batches, peerBatches } = bench.sizes
  await withSystems(
    [
      on(bench, 'keyed', (url) => InterlockSystem.open(url, { claimers })),
      on(bench, 'keyed_bare', (url) => BareSystem.open(url, claimers)),
      on(bench, 'keyed_graphile', (url) => GraphileWorkerSystem.open('graphile-worker', url)),
      on(bench, 'keyed_graphile_tuned', (url) => GraphileWorkerSystem.open('graphile-worker-tuned', url)),
      on(bench, 'keyed_boss_singleton', (url) => PgBossSystem.open('singleton', url)),
      on(bench, 'keyed_boss_group', (url) => PgBossSystem.open('group', url)),
    ],
    async (interlock, bare, graphile, graphileTuned, singleton, group) => {
      const largest = Math.max(...batches)
      const contestant = (system: System, batch: number): Contestant => ({
        system,
        parameters: { batch, users, models },
        batch,
        jobsOf: (seed) => randomJobs(jobsFor(batch, jobs), { users, models }, seed),
        countsWal: true,
      })
      const contestants: Contestant[] = []
      const checked = new Map<string, number>()
      for (const system of [interlock, bare, graphile, graphileTuned, singleton, group]) {
        checked.set(system.name, await countOverlaps(bench, system, 10))
      }
      for (const batch of batches) {
        const systems = [
          interlock,
          bare,
          ...(batch === largest ? [graphile, graphileTuned] : []),
          ...(peerBatches === 'each' ? [singleton, group] : []),
        ]
        for (const system of systems) {
          contestants.push(contestant(system, batch))
        }
      }
      for (const system of [singleton, group]) contestants.push(contestant(system, bestPgBossBatch))
      const rounds = await interleave(bench, 'keyed', contestants)
      const verdict = await checkLog(interlock.database)
      for (const [index, contestant] of contestants.entries()) {
        const { name, keys } = contestant.system
        reportRounds(bench, 'keyed', contestant, rounds[index] ?? [], {
          ...(keys !== 0 && { overlaps_when_checked: checked.get(name) ?? Number.NaN }),
          ...(name === 'interlock' && {
            lost_or_twice: verdict.lostOrTwice,
            log_overlaps: verdict.overlaps,
            violations: verdict.violations,
          }),
        })
      }
    },
  )
}

/** Fewer where each is a transaction of its own, so that everybody comes to the end of a round. */
function jobsFor(batch: number, jobs: number): number {
  return Math.ceil(jobs * Math.min(1, Math.max(0.1, batch / 25)))
}

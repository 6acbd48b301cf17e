import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, interleave, reportRounds } from './rounds.ts'
import type { System } from './system.ts'
import { GraphileWorkerSystem } from './systems/graphile-worker.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

const fewModels = 20

/** Twenty models for ten thousand users: nearly everything waits for something, and at most twenty jobs run. */
export async function contention(bench: Bench): Promise<void> {
  const { claimers, users, jobs, batches } = bench.sizes
  const batch = Math.max(...batches)
  const byModel = ({ models }: { readonly models: readonly string[] }) => models[0] ?? 'busy'
  await withSystems<readonly System[]>(
    [
      on(bench, 'contention', (url) => InterlockSystem.open(url, { claimers })),
      on(bench, 'contention_graphile', (url) => GraphileWorkerSystem.open('graphile-worker-tuned', url, byModel)),
    ],
    async (...systems) => {
      const contestants = systems.map(
        (system): Contestant => ({
          system,
          parameters: { users, models: fewModels, batch },
          batch,
          jobsOf: (seed) => randomJobs(Math.ceil(jobs / 4), { users, models: fewModels }, seed),
        }),
      )
      const rounds = await interleave(bench, 'contention', contestants)
      for (const [index, contestant] of contestants.entries()) {
        reportRounds(bench, 'contention', contestant, rounds[index] ?? [])
      }
    },
  )
}

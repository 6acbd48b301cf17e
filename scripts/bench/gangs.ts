import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, countOverlaps, interleave, reportRounds } from './rounds.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

const modelsForGangs = 10_000

/** One to eight resources a job, its user counted: so many that what is measured is their number, not their contention. */
export async function gangs(bench: Bench): Promise<void> {
  const { claimers, users, jobs, gangs: sizes, batches } = bench.sizes
  const batch = Math.max(...batches)
  await withSystems([on(bench, 'gangs', (url) => InterlockSystem.open(url, { claimers }))], async (system) => {
    const checked = await countOverlaps(bench, system, 10)
    const contestants = sizes.map(
      (resources): Contestant => ({
        system,
        parameters: { resources, batch, users, models: modelsForGangs },
        batch,
        jobsOf: (seed) => randomJobs(jobs, { users, models: modelsForGangs, modelsEach: resources - 1 }, seed),
        countsWal: true,
      }),
    )
    const rounds = await interleave(bench, 'gangs', contestants)
    for (const [index, contestant] of contestants.entries()) {
      reportRounds(bench, 'gangs', contestant, rounds[index] ?? [], { overlaps_when_checked: checked })
    }
  })
}

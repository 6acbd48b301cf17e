import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, interleave, reportRounds } from './rounds.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

/**
 * From a thousand users to a million, one job of each waiting before the clock starts and about as many when it stops:
 * does a claim cost more where there are more lanes to choose from?
 */
export async function lanes(bench: Bench): Promise<void> {
  const { claimers, models, jobs, lanes: levels, batches, seed } = bench.sizes
  const batch = Math.max(...batches)
  await withSystems<readonly InterlockSystem[]>(
    levels.map((level) => on(bench, `lanes_${level}`, (url) => InterlockSystem.open(url, { claimers }))),
    async (...systems) => {
      const contestants: Contestant[] = []
      for (const [index, system] of systems.entries()) {
        const users = levels[index] ?? 0
        if (bench.signal.aborted) return
        bench.say(`lanes: a job for each of ${users} users`)
        await system.fill(users, models, bench.signal)
        contestants.push({
          system,
          parameters: { users, models, batch },
          batch,
          jobsOf: (round) => randomJobs(jobs, { users, models }, round + seed),
        })
      }
      const rounds = await interleave(bench, 'lanes', contestants)
      for (const [index, contestant] of contestants.entries()) {
        reportRounds(bench, 'lanes', contestant, rounds[index] ?? [])
      }
    },
  )
}

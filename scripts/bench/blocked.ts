import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { type Contestant, interleave, reportRounds } from './rounds.ts'
import type { System } from './system.ts'
import { GraphileWorkerSystem } from './systems/graphile-worker.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

export { enqueueBlocked } from './systems/interlock-backlog.ts'

/** As many as it is fair to ask of a peer that looks at each of them for each claim. */
const blockedForPeers = 100_000

/**
 * The keyed jobs behind waiting jobs of one user who is busy for ever and came first: nothing of theirs can start, and
 * everything of the others can.
 */
export async function blocked(bench: Bench): Promise<void> {
  const { claimers, users, models, jobs, blocked: levels, batches } = bench.sizes
  const batch = Math.max(...batches)
  const inFront: number[] = [...levels]
  const open: (() => Promise<System>)[] = levels.map((level) =>
    on(bench, `blocked_${level}`, (url) => InterlockSystem.open(url, { claimers })),
  )
  const forPeers = Math.min(blockedForPeers, Math.max(...levels))
  for (const name of ['graphile-worker', 'graphile-worker-tuned'] as const) {
    inFront.push(forPeers)
    open.push(on(bench, `blocked_${name}`, (url) => GraphileWorkerSystem.open(name, url)))
  }
  await withSystems<readonly System[]>(open, async (...systems) => {
    const contestants: Contestant[] = []
    for (const [index, system] of systems.entries()) {
      const level = inFront[index] ?? 0
      if (bench.signal.aborted) return
      bench.say(`blocked: putting ${level} in front, ${system.name}`)
      if (level > 0) await system.block(level, bench.signal)
      contestants.push({
        system,
        parameters: { blocked: level, batch, users, models },
        batch,
        jobsOf: (seed) => randomJobs(jobs, { users, models }, seed),
      })
    }
    const rounds = await interleave(bench, 'blocked', contestants)
    for (const [index, contestant] of contestants.entries()) {
      reportRounds(bench, 'blocked', contestant, rounds[index] ?? [])
    }
  })
}

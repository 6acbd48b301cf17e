import { isInterlockError } from '../../src/domain/errors.ts'
import type { Queryable } from '../../src/store/queryable.ts'
import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { roundedFigures, vacuum } from './rounds.ts'
import { median, quantile } from './statistics.ts'
import type { System } from './system.ts'
import { BareSystem } from './systems/bare.ts'
import { GraphileWorkerSystem } from './systems/graphile-worker.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { PgBossSystem } from './systems/pg-boss.ts'
import { type BenchJob, batchesOf, randomJobs } from './workload.ts'

const clients = 4

/** Within: the caller has a transaction of its own, writes a row of its own, and enqueues before it commits. */
type Way = 'alone' | 'within a transaction'

interface Run {
  readonly speeds: number[]
  readonly callMs: number[]
  /** Calls that a deadlock ended, and that were made again. */
  retries: number
}

const ways: readonly { readonly way: Way; readonly batch: number }[] = [
  { way: 'alone', batch: 1 },
  { way: 'within a transaction', batch: 1 },
  { way: 'alone', batch: 100 },
  { way: 'alone', batch: 1000 },
]

/** How fast jobs come in, each with a user and a model: one by one, in batches, and inside a caller's transaction. */
export async function enqueue(bench: Bench): Promise<void> {
  await withSystems<readonly System[]>(
    [
      on(bench, 'enqueue', (url) => InterlockSystem.open(url, { claimers: clients })),
      on(bench, 'enqueue_bare', (url) => BareSystem.open(url, clients)),
      on(bench, 'enqueue_graphile', (url) => GraphileWorkerSystem.open('graphile-worker', url)),
      on(bench, 'enqueue_boss', (url) => PgBossSystem.open('singleton', url)),
    ],
    async (...systems) => {
      const { sizes, signal, server } = bench
      const contestants = ways.flatMap(({ way, batch }) => systems.map((system) => ({ system, way, batch })))
      const runs = contestants.map((): Run => ({ speeds: [], callMs: [], retries: 0 }))
      for (const { database } of systems) {
        await database.query(
          'create table if not exists public.caller (id bigint generated always as identity, note text)',
        )
      }
      for (let round = 0; round < sizes.rounds; round++) {
        for (const [index, { system, way, batch }] of contestants.entries()) {
          const run = runs[index]
          if (signal.aborted || run === undefined) break
          await vacuum(system)
          await server.checkpoint()
          const speed = await measure(bench, system, way, batch, sizes.seed + round, run)
          run.speeds.push(speed)
          bench.say(
            `enqueue ${round + 1}/${sizes.rounds} ${system.name}, ${way}, batch ${batch}: ${Math.round(speed)} jobs/s`,
          )
        }
      }
      for (const [index, { system, way, batch }] of contestants.entries()) {
        const { speeds, callMs, retries } = runs[index] ?? { speeds: [], callMs: [], retries: 0 }
        if (speeds.length === 0) continue
        bench.report({
          scenario: 'enqueue',
          system: system.name,
          parameters: { way, batch, clients },
          settings: {},
          jobs_per_second: Math.round(median(speeds)),
          rounds: speeds.map(Math.round),
          figures: roundedFigures({ call_ms_p50: quantile(callMs, 0.5), call_ms_p99: quantile(callMs, 0.99), retries }),
        })
      }
    },
  )
}

async function measure(
  { sizes, signal }: Bench,
  system: System,
  way: Way,
  batch: number,
  seed: number,
  run: Run,
): Promise<number> {
  const { users, models, jobs } = sizes
  const count = batch === 1 ? Math.ceil(jobs / 10) : Math.max(jobs, batch * clients)
  const batches = batchesOf(randomJobs(count, { users, models }, seed), batch)
  const started = performance.now()
  let enqueued = 0
  const client = async (): Promise<void> => {
    // One source for all clients: whoever is done takes the next.
    for (const next of batches) {
      const begin = performance.now()
      if (signal.aborted || begin - started > sizes.deadlineSeconds * 1000) return
      for (let isIn = false; !isIn; ) isIn = await tryPut(system, way, next, run)
      run.callMs.push(performance.now() - begin)
      enqueued += next.length
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return enqueued / ((performance.now() - started) / 1000)
}

// Two batches of graphile-worker's that create the same queues in different order deadlock; it has to be asked again.
async function tryPut(system: System, way: Way, jobs: readonly BenchJob[], run: Run): Promise<boolean> {
  try {
    if (way === 'alone') await system.put(jobs, system.database)
    else {
      await system.database.transaction(async (transaction: Queryable) => {
        await transaction.query(`insert into public.caller (note) values ('of the caller')`)
        await system.put(jobs, transaction)
      })
    }
    return true
  } catch (error) {
    if (!isInterlockError(error, 'unavailable')) throw error
    run.retries++
    return false
  }
}

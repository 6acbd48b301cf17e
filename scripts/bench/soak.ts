import { setTimeout as sleep } from 'node:timers/promises'
import { IdleCollector } from '../../src/store/idle-collector.ts'
import type { Bench } from './bench.ts'
import { on, withSystems } from './opening.ts'
import { roundedFigures } from './rounds.ts'
import { median } from './statistics.ts'
import { InterlockSystem } from './systems/interlock.ts'
import { randomJobs } from './workload.ts'

/** Jobs that wait at any time: enough that no claimer ever finds too few. */
const depth = 5000
const phases = ['before', 'held', 'after'] as const
const bucketsPerPhase = 20

type Phase = (typeof phases)[number]

interface Bucket {
  readonly phase: Phase
  readonly jobsPerSecond: number
  readonly deadTuples: number
}

/**
 * Jobs come in as fast as they are done, for a long time; in the middle third somebody holds a snapshot, so that nothing
 * that dies meanwhile can be cleared away. Enqueueing runs beside claiming and is part of the load, and so is the tick's
 * collecting.
 */
export async function soak(bench: Bench): Promise<void> {
  const { claimers } = bench.sizes
  await withSystems(
    [on(bench, 'soak', (url) => InterlockSystem.open(url, { claimers: Math.min(claimers, 2) }))],
    (system) => soakOne(bench, system),
  )
}

async function soakOne(bench: Bench, system: InterlockSystem): Promise<void> {
  const { sizes, signal, server } = bench
  const { database } = system
  const batch = Math.max(...sizes.batches)
  const phaseSeconds = (sizes.soakMinutes * 60) / phases.length
  const ended = new AbortController()
  let enqueued = 0
  let started = 0
  const produce = async (): Promise<void> => {
    for (let seed = sizes.seed; !ended.signal.aborted; seed++) {
      if (enqueued - started > depth) await sleep(5)
      else {
        await system.enqueue(randomJobs(500, sizes, seed))
        enqueued += 500
      }
    }
  }
  const collect = async (): Promise<void> => {
    const idle = new IdleCollector(database)
    for (; !ended.signal.aborted; await sleep(500)) await idle.collect()
  }
  await system.enqueue(randomJobs(depth, sizes, sizes.seed - 1))
  enqueued += depth
  await server.checkpoint()

  const buckets: Bucket[] = []
  const sizesOf: Record<string, number> = {}
  const background = Promise.all([produce(), collect()])
  // A failure is met below, once the drain that runs beside it has ended.
  background.catch(() => ended.abort())
  const wal = await server.walCounters()
  let statements = 0
  let completed = 0
  for (const phase of phases) {
    if (signal.aborted || ended.signal.aborted) break
    const snapshot = phase === 'held' ? await holdSnapshot(system) : null
    const sampling = new AbortController()
    const samples = sample(bench, system, phase, phaseSeconds, () => started, sampling.signal)
    const drained = await system.drain({
      jobs: Number.POSITIVE_INFINITY,
      batch,
      deadlineSeconds: phaseSeconds,
      signal: AbortSignal.any([signal, ended.signal]),
      onStart: () => void started++,
    })
    sampling.abort()
    buckets.push(...(await samples))
    await snapshot?.()
    statements += drained.statements ?? 0
    completed += drained.completed
    for (const [table, bytes] of Object.entries(await tableBytes(system)))
      sizesOf[`${table}_mib_${phase}`] = bytes / 2 ** 20
  }
  ended.abort()
  await background
  const { bytes, images } = await server.walCounters()
  const of = (phase: Phase) => buckets.filter((bucket) => bucket.phase === phase)
  // Its first quarter warms up.
  const before = median(
    of('before')
      .slice(bucketsPerPhase / 4)
      .map((bucket) => bucket.jobsPerSecond),
  )
  const speedLost = (those: readonly Bucket[]) =>
    (1 - median(those.map((bucket) => bucket.jobsPerSecond)) / before) * 100
  bench.report({
    scenario: 'soak',
    system: system.name,
    parameters: { minutes: sizes.soakMinutes, batch, depth, users: sizes.users, models: sizes.models },
    settings: system.settings,
    jobs_per_second: Math.round(median(buckets.map((bucket) => bucket.jobsPerSecond))),
    rounds: buckets.map((bucket) => Math.round(bucket.jobsPerSecond)),
    figures: roundedFigures({
      before_jobs_per_second: before,
      lost_percent_held: speedLost(of('held')),
      lost_percent_held_at_its_end: speedLost(of('held').slice(-bucketsPerPhase / 4)),
      lost_percent_after: speedLost(of('after').slice(-bucketsPerPhase / 2)),
      dead_tuples_before: Math.max(...of('before').map((bucket) => bucket.deadTuples)),
      dead_tuples_held: Math.max(...of('held').map((bucket) => bucket.deadTuples)),
      dead_tuples_after: of('after').at(-1)?.deadTuples ?? Number.NaN,
      wal_bytes_per_job: (bytes - wal.bytes) / completed,
      wal_images_per_job: (images - wal.images) / completed,
      statements_per_job: statements / completed,
      ...sizesOf,
    }),
  })
}

async function sample(
  bench: Bench,
  system: InterlockSystem,
  phase: Phase,
  phaseSeconds: number,
  startedNow: () => number,
  signal: AbortSignal,
): Promise<readonly Bucket[]> {
  const buckets: Bucket[] = []
  let [fromMs, from] = [performance.now(), startedNow()]
  while (!signal.aborted) {
    await sleep((phaseSeconds * 1000) / bucketsPerPhase, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const [nowMs, now] = [performance.now(), startedNow()]
    const jobsPerSecond = ((now - from) / (nowMs - fromMs)) * 1000
    const [row] = await system.database.query<{ dead: number }>(
      `select coalesce(sum(n_dead_tup), 0)::int as dead from pg_stat_user_tables where schemaname = 'interlock'`,
    )
    buckets.push({ phase, jobsPerSecond, deadTuples: row?.dead ?? 0 })
    bench.say(`soak, ${phase}: ${Math.round(jobsPerSecond)} jobs/s, ${row?.dead ?? 0} dead tuples`)
    ;[fromMs, from] = [nowMs, now]
  }
  return buckets
}

/** A transaction that sees the past until the returned function ends it. */
async function holdSnapshot({ database }: InterlockSystem): Promise<() => Promise<void>> {
  const connection = await database.connect()
  await connection.query('begin isolation level repeatable read')
  await connection.query('select pg_current_xact_id()')
  return () => connection.close()
}

/** Of the tables that must not grow with what was done. */
async function tableBytes({ database }: InterlockSystem): Promise<Readonly<Record<string, number>>> {
  const rows = await database.query<{ name: string; bytes: number }>(
    `select t.name, pg_total_relation_size(('interlock.' || t.name)::regclass) as bytes
     from unnest('{jobs,job_lanes,job_lane_touches,lane_floors,touch_floor,job_queue_state,lane_users}'::text[]) as t (name)`,
  )
  return Object.fromEntries(rows.map(({ name, bytes }) => [name, bytes]))
}

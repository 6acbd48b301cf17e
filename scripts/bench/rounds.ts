import type { Bench } from './bench.ts'
import { median, quantile, rounded } from './statistics.ts'
import type { Drained, System } from './system.ts'
import { type BenchJob, randomJobs } from './workload.ts'

/** One of those that are compared in a scenario. */
export interface Contestant {
  readonly system: System
  readonly parameters: Readonly<Record<string, number | string>>
  readonly batch: number
  /** The jobs of a round; the same for all that are compared. */
  readonly jobsOf: (seed: number) => readonly BenchJob[]
  /** Bytes of WAL are read back, outside the clock. */
  readonly countsWal?: boolean
}

export interface Round extends Drained {
  readonly walBytes: number
  readonly walImageBytes: number
}

/**
 * A round of each in turn, and again: machines are noisy for minutes at a time, and what falls on one falls on its
 * neighbours too. Between two: vacuum, analyse, checkpoint, outside the clock. Ends early when it is told to stop, with
 * the rounds that are whole.
 */
export async function interleave(
  bench: Bench,
  scenario: string,
  contestants: readonly Contestant[],
): Promise<readonly (readonly Round[])[]> {
  const { sizes, signal, server } = bench
  const rounds: Round[][] = contestants.map(() => [])
  for (let round = 0; round < sizes.rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      if (signal.aborted) return rounds
      const jobs = contestant.jobsOf(sizes.seed + round)
      await contestant.system.enqueue(jobs)
      await vacuum(contestant.system)
      await server.checkpoint()
      const from = await server.walPosition()
      const drained = await contestant.system.drain({
        jobs: jobs.length,
        batch: contestant.batch,
        deadlineSeconds: sizes.deadlineSeconds,
        signal,
      })
      const wal =
        contestant.countsWal === true
          ? await server.walBetween(from, await server.walPosition())
          : { bytes: Number.NaN, imageBytes: Number.NaN }
      await contestant.system.clear(signal)
      if (signal.aborted) return rounds
      rounds[index]?.push({ ...drained, walBytes: wal.bytes, walImageBytes: wal.imageBytes })
      const speed = Math.round(drained.completed / drained.seconds)
      bench.say(`${scenario} ${round + 1}/${sizes.rounds} ${label(contestant)}: ${speed} jobs/s`)
    }
  }
  return rounds
}

export function reportRounds(
  bench: Bench,
  scenario: string,
  contestant: Contestant,
  rounds: readonly Round[],
  extra: Readonly<Record<string, number>> = {},
): void {
  if (rounds.length === 0) return
  const speeds = rounds.map(({ completed, seconds }) => completed / seconds)
  const claimMs = rounds.flatMap((round) => round.claimMs)
  const completed = total(rounds, (round) => round.completed)
  const figures: Record<string, number> = {
    spread_percent: ((Math.max(...speeds) - Math.min(...speeds)) / median(speeds)) * 100,
    ...(claimMs.length > 0 && { claim_ms_p50: quantile(claimMs, 0.5), claim_ms_p99: quantile(claimMs, 0.99) }),
    ...(contestant.countsWal === true && {
      wal_bytes_per_job: total(rounds, (round) => round.walBytes) / completed,
      wal_image_bytes_per_job: total(rounds, (round) => round.walImageBytes) / completed,
    }),
    ...(rounds[0]?.statements !== undefined && {
      statements_per_job: total(rounds, (round) => round.statements ?? 0) / completed,
    }),
    ...(contestant.system.keys !== 0 && { overlaps: total(rounds, (round) => round.overlaps) }),
    ...extra,
  }
  bench.report({
    scenario,
    system: contestant.system.name,
    parameters: contestant.parameters,
    settings: contestant.system.settings,
    jobs_per_second: Math.round(median(speeds)),
    rounds: speeds.map(Math.round),
    figures: roundedFigures(figures),
  })
}

/** Does it exclude at all? Few keys, jobs that take their time, and somebody who counts. It warms plans and pools, too. */
export async function countOverlaps(bench: Bench, system: System, batch: number): Promise<number> {
  if (bench.signal.aborted) return 0
  await system.enqueue(randomJobs(100, { users: 20, models: 10 }, bench.sizes.seed))
  const { overlaps } = await system.drain({ jobs: 100, batch, deadlineSeconds: 5, signal: bench.signal, workMs: 3 })
  await system.clear(bench.signal)
  return overlaps
}

/** Of the system's own tables; all of the catalogue would take longer than a round. */
export async function vacuum({ database }: System): Promise<void> {
  const [tables] = await database.query<{ names: string }>(
    `select string_agg(relid::regclass::text, ', ') as names from pg_stat_user_tables`,
  )
  await database.query(`vacuum analyze ${tables?.names ?? ''}`)
}

export function roundedFigures(figures: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const known = Object.entries(figures).filter(([, value]) => Number.isFinite(value))
  return Object.fromEntries(known.map(([name, value]) => [name, rounded(value)]))
}

function total(rounds: readonly Round[], of: (round: Round) => number): number {
  return rounds.reduce((sum, round) => sum + of(round), 0)
}

function label({ system, parameters }: Contestant): string {
  return [system.name, ...Object.entries(parameters).map(([name, value]) => `${name} ${value}`)].join(', ')
}

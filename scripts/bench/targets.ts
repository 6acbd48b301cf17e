import type { Result, Target } from './bench.ts'
import { median, medianRatio, rounded } from './statistics.ts'

type Parameters = Readonly<Record<string, number | string>>

/** What the benchmark is there to show, as far as what was measured allows; all ratios are of one run. */
export function targetsOf(results: readonly Result[]): readonly Target[] {
  const targets: Target[] = []
  const find = (scenario: string, system: string, parameters: Parameters = {}): Result | undefined =>
    results.find(
      (result) =>
        result.scenario === scenario &&
        result.system === system &&
        Object.entries(parameters).every(([name, value]) => result.parameters[name] === value),
    )
  const fastest = (scenario: string, system: string): Result | undefined =>
    results
      .filter((result) => result.scenario === scenario && result.system === system)
      .toSorted((a, b) => (b.jobs_per_second ?? 0) - (a.jobs_per_second ?? 0))[0]
  const extremes = (
    scenario: string,
    system: string,
    name: string,
  ): readonly [Result | undefined, Result | undefined] => {
    const of = results.filter((result) => result.scenario === scenario && result.system === system)
    const sorted = of.toSorted((a, b) => Number(a.parameters[name]) - Number(b.parameters[name]))
    return sorted.length < 2 ? [undefined, sorted[0]] : [sorted[0], sorted.at(-1)]
  }
  const add = (name: string, value: number | undefined, unit: Target['unit'], aim: string): void => {
    if (value !== undefined && Number.isFinite(value)) targets.push({ name, value: rounded(value), unit, aim })
  }
  const ratio = (of: Result | undefined, to: Result | undefined): number | undefined =>
    of === undefined || to === undefined ? undefined : medianRatio(of.rounds, to.rounds)
  const percent = (value: number | undefined): number | undefined => value && value * 100

  const [, keyed] = extremes('keyed', 'interlock', 'batch')
  const alike: Parameters = { batch: keyed?.parameters.batch ?? 0 }
  add(
    `keyed, batches of ${alike.batch}: of the bare floor`,
    percent(ratio(keyed, find('keyed', 'bare', alike))),
    '%',
    'at least 30, better 50',
  )
  add(
    `keyed, batches of ${alike.batch}: of graphile-worker`,
    ratio(keyed, fastest('keyed', 'graphile-worker')),
    'times',
    'at least 20',
  )
  for (const peer of ['graphile-worker-tuned', 'pg-boss-singleton', 'pg-boss-group']) {
    add(
      `keyed, batches of ${alike.batch}: of ${peer} at its best`,
      ratio(keyed, fastest('keyed', peer)),
      'times',
      'about 1',
    )
  }
  add(
    `keyed, batches of ${alike.batch}: WAL a job, absorbing included`,
    keyed?.figures.wal_bytes_per_job,
    'bytes',
    'at most 3072',
  )

  const [unblocked, behind] = extremes('blocked', 'interlock', 'blocked')
  const many = behind?.parameters.blocked
  add(`behind ${many} blocked: of the throughput without`, percent(ratio(behind, unblocked)), '%', 'at least 95')
  add(
    `behind ${many} blocked: of the claim p99 without`,
    (behind?.figures.claim_ms_p99 ?? Number.NaN) / (unblocked?.figures.claim_ms_p99 ?? Number.NaN),
    'times',
    'at most 1.5',
  )
  for (const [peer, aim] of [
    ['graphile-worker', 'at least 100'],
    ['graphile-worker-tuned', 'at least 2'],
  ] as const) {
    const other = find('blocked', peer)
    add(`behind ${many} blocked: of ${peer} behind ${other?.parameters.blocked}`, ratio(behind, other), 'times', aim)
  }

  const [few, most] = extremes('lanes', 'interlock', 'users')
  add(
    `${most?.parameters.users} users: of the throughput with ${few?.parameters.users}`,
    percent(ratio(most, few)),
    '%',
    'at least 80',
  )
  add('serial: hand-over, median', find('serial', 'interlock')?.figures.handover_ms_p50, 'ms', 'at most 3')
  const open = find('latency', 'interlock', { load: 'open loop' })
  add('latency at half of capacity, p50', open?.figures.start_ms_p50, 'ms', 'at most 8')
  add('latency at half of capacity, p99', open?.figures.start_ms_p99, 'ms', 'at most 40')
  const soak = find('soak', 'interlock')
  add('soak: lost while a snapshot is held', soak?.figures.lost_percent_held, '%', 'at most 20')
  add('soak: still lost afterwards', soak?.figures.lost_percent_after, '%', 'about 0')
  return targets
}

/** In per cent of the floor, or of the first system of the scenario's group where it has no floor. */
export function shareOf(result: Result, results: readonly Result[]): string {
  if (result.jobs_per_second === null || result.rounds.length === 0 || result.scenario === 'soak') return ''
  const alike = results.filter(({ scenario }) => scenario === result.scenario)
  const bare = alike.filter((other) => other.system === 'bare' && other.parameters.way === result.parameters.way)
  const base = bare.find((other) => other.parameters.batch === result.parameters.batch) ?? bare.at(-1) ?? alike[0]
  if (base === undefined) return ''
  const share = medianRatio(result.rounds, base.rounds) * 100
  return Number.isFinite(median(result.rounds)) ? `${rounded(share)} %` : ''
}

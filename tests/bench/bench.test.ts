import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { Report, Result } from '../../scripts/bench/bench.ts'

const program = fileURLToPath(new URL('../../scripts/bench/main.ts', import.meta.url))
const tiny = '--jobs 120 --users 40 --models 20 --claimers 2 --batches 1,10 --rounds 1 --deadline 0.5 --seed 7'

test('a tiny benchmark prints a report as documented, in which no system ran two jobs of one key at once', {
  timeout: 120_000,
}, async () => {
  const options = ['--only', 'keyed,serial', '--quick', '--json', ...tiny.split(' ')]
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...options])
  const report = JSON.parse(stdout) as Report
  const of = (scenario: string): readonly Result[] => report.results.filter((result) => result.scenario === scenario)

  expect(report).toMatchObject({
    seed: 7,
    interrupted: false,
    machine: { cores: expect.any(Number), node: process.version },
    postgres: { fsync: 'on', synchronous_commit: 'on', server_version: expect.any(String) },
  })
  expect(new Set(of('keyed').map(({ system }) => system))).toEqual(
    new Set(['interlock', 'bare', 'graphile-worker', 'graphile-worker-tuned', 'pg-boss-singleton', 'pg-boss-group']),
  )
  expect(new Set(of('serial').map(({ system }) => system))).toEqual(
    new Set(['interlock', 'graphile-worker', 'graphile-worker-tuned', 'pg-boss-singleton']),
  )
  for (const { system, parameters, jobs_per_second, rounds, figures } of report.results) {
    expect(parameters).toMatchObject({ batch: expect.any(Number), users: 40, models: expect.any(Number) })
    expect(jobs_per_second).toBeGreaterThan(0)
    expect(rounds).toHaveLength(1)
    if (system !== 'bare') expect(figures.overlaps).toBe(0)
  }
  for (const { system, figures } of of('keyed')) {
    if (system !== 'bare') expect(figures.overlaps_when_checked).toBe(0)
    expect(figures.wal_bytes_per_job).toBeGreaterThan(100)
  }
  const interlock = of('keyed').filter(({ system }) => system === 'interlock')
  expect(interlock.map(({ parameters }) => parameters.batch)).toEqual([1, 10])
  for (const { figures } of interlock) {
    expect(figures).toMatchObject({ lost_or_twice: 0, log_overlaps: 0, violations: 0 })
  }
  expect(of('serial').find(({ system }) => system === 'interlock')?.figures.handover_ms_p50).toBeGreaterThan(0)
  expect(report.targets.map(({ name }) => name)).toContain('keyed, batches of 10: of the bare floor')
})

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../scripts/chaos/run.ts'
import { scenarioOf } from '../../scripts/chaos/scenario.ts'

// A short fixed set; `npm run chaos` plays as many as one has time for.
test.each([
  {
    seed: 2,
    faults: ['kill agent', 'freeze agent', 'kill coordinator', 'cut line', 'cut at the end of a transaction'],
  },
] as const)(
  'nothing is lost and nothing runs twice through $faults (seed $seed)',
  { timeout: 120_000 },
  async (plan) => {
    const folder = await mkdtemp(join(tmpdir(), `interlock-chaos-${plan.seed}-`))
    const scenario = scenarioOf({ ...plan, seconds: 4, jobs: 60 })
    const { findings, figures } = await run(scenario, {
      folder,
      keep: 'findings',
      signal: new AbortController().signal,
    })
    expect(findings).toEqual([])
    expect(figures.jobs).toBeGreaterThan(50)
    expect(Object.values(figures.faults).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(0)
  },
)

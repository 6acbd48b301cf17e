import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { build, defects } from '../../scripts/chaos/defects.ts'
import { run } from '../../scripts/chaos/run.ts'
import { scenarioOf } from '../../scripts/chaos/scenario.ts'

const seedsMax = Number(process.env.INTERLOCK_SEEDS ?? 8)
const found = new Map<string, string>()

// A harness that finds none of them would prove nothing.
describe('a seeded defect is found by a few runs of faults', () => {
  test.each(defects)('$name', { timeout: 3600_000 }, async (defect) => {
    for (let seed = 1; seed <= seedsMax && !found.has(defect.name); seed += 1) {
      const folder = await mkdtemp(join(tmpdir(), `interlock-chaos-${seed}-`))
      const { faults, shape, seconds = 8 } = defect
      const scenario = scenarioOf({
        seed,
        seconds,
        jobs: 500,
        ...(faults === undefined ? {} : { faults }),
        ...(shape === undefined ? {} : { shape }),
      })
      const { signal } = new AbortController()
      const { findings } = await run(scenario, { folder, keep: 'never', ...build(defect), signal })
      const [first] = findings
      if (first !== undefined) found.set(defect.name, `${first.invariant} ${first.what} (run ${seed})`)
    }
    console.log(`${defect.name}: ${found.get(defect.name) ?? `not found in ${seedsMax} runs`}`)
  })

  afterAll(() => {
    const hidden = defects.filter(({ name }) => !found.has(name)).map(({ name }) => name)
    expect(hidden.length).toBeLessThanOrEqual(1)
  })
})

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../scripts/chaos/run.ts'
import { scenarioOf } from '../../scripts/chaos/scenario.ts'

// Jobs that run for longer than a lease, so that what is stopped with agent and keeper is taken over while it lives.
test('of an agent that was stopped with its keeper past its lease, the processes are gone within 2 s of its waking, and every late write is refused', {
  timeout: 300_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-chaos-frozen-'))
  const shape = {
    users: 30,
    longShare: 0.3,
    cancelShare: 0,
    arrivalShare: 1,
    dueShare: 0,
    agents: 2,
    slots: 8,
  } as const
  const scenario = {
    ...scenarioOf({
      seed: 3,
      seconds: 4,
      jobs: 120,
      shape: { ...shape, liveness: 'connection', patienceSeconds: 300 },
    }),
    faults: [{ atMs: 2500, kind: 'freeze agent and keeper', target: 0, forMs: 10_000 }],
  } as const
  const { findings, figures } = await run(scenario, { folder, keep: 'findings', signal: new AbortController().signal })
  // The overlaps behind what was stopped are permitted; the checker finds all others, and processes that lived longer.
  expect(findings).toEqual([])
  const { outlivedMs: taken, permittedOverlaps: permitted, refusedWrites: refused } = figures
  console.log(
    `gone ${taken.join(', ')} ms after the waking; ${permitted} overlaps before it; ${refused} late writes refused`,
  )
  expect(taken.length).toBeGreaterThan(0)
  expect(permitted).toBeGreaterThan(0)
  expect(refused).toBeGreaterThan(0)
})

import { describe, expect, test } from 'vitest'
import { asAgentId } from '../../src/domain/ids.ts'
import { absorbTouches, claimJobs } from '../../src/store/agents.ts'
import { createAttemptStore, type HeldJob } from '../../src/store/attempts.ts'
import { Database } from '../../src/store/database.ts'
import { EngineWorld } from '../engine/engine-world.ts'

// Fault 24: whatever the planner knows or is forced to, a claim gives no more than its limit and nothing twice. (A statement
// with `in (select … skip locked limit 1)` once took 41 of 41.) How much the verbs read: engine/plans.test.ts.

const forced: Readonly<Record<string, readonly string[]>> = {
  'as they come': [],
  'custom each time': ['plan_cache_mode = force_custom_plan'],
  'generic at once': ['plan_cache_mode = force_generic_plan'],
  'sequential scans only': ['enable_indexscan = off', 'enable_indexonlyscan = off', 'enable_bitmapscan = off'],
  'nested loops only': ['enable_hashjoin = off', 'enable_mergejoin = off', 'enable_material = off'],
  'no nested loops': ['enable_nestloop = off', 'enable_memoize = off'],
  'merge joins only': ['enable_hashjoin = off', 'enable_nestloop = off'],
  'parallel where it can': ['parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0'],
}

describe.each(['absent', 'stale', 'fresh'] as const)('with %s statistics', (statistics) => {
  test.each(Object.keys(forced))('and plans %s, four claimers at once exceed no limit', async (name) => {
    const world = await EngineWorld.create({ clock: 'real' })
    const settings = forced[name] ?? []
    await world.query('alter table interlock.jobs set (autovacuum_enabled = false)')
    await world.query(`select interlock.set_limit('model:wide', 3)`)
    const agents = await Promise.all([1, 2, 3, 4].map((n) => world.register(`claimer-${n}`, { slots: 100 })))
    const jobs = (count: number, from: number) =>
      Array.from({ length: count }, (_, n) => ({
        id: `job-${from + n}`,
        user: `user-${(from + n) % 23}`,
        models: ['wide'],
      }))
    // Stale: of a time when there was next to nothing.
    await world.enqueue(...jobs(1, 0))
    if (statistics !== 'absent') await world.query('analyze')
    await world.enqueue(...jobs(40, 1))
    if (statistics === 'fresh') await world.query('analyze')
    const options = settings.map((setting) => `-c ${setting.replaceAll(' ', '')}`).join(' ')
    const url = new URL(world.test.url)
    if (options !== '') url.searchParams.set('options', options)
    const database = new Database({ url: url.href, poolSize: 4 })
    const store = createAttemptStore(database)
    const limit = 2
    const seen = new Set<string>()
    let held: HeldJob[] = []
    try {
      for (let round = 0; round < 60 && seen.size < 41; round += 1) {
        await absorbTouches(database)
        const claims = await Promise.all(agents.map((agent) => claimJobs(database, asAgentId(agent), limit)))
        for (const { assignments } of claims) {
          expect(assignments.length).toBeLessThanOrEqual(limit)
          for (const { jobId } of assignments) {
            expect(seen.has(jobId)).toBe(false)
            seen.add(jobId)
          }
          held.push(...assignments)
        }
        const [row] = await world.query<{ n: number }>(
          `select count(*)::int as n from interlock.job_queue_state where resource = 'model:wide' and active_job_id is not null`,
        )
        expect(row?.n).toBeLessThanOrEqual(3)
        await store.startJobs(held)
        await store.completeJobs(held.map((job) => ({ ...job, result: null })))
        held = []
      }
      expect(seen.size).toBe(41)
    } finally {
      await database.end()
    }
    expect(await world.query('select * from interlock.violations')).toEqual([])
    await world.test.drop()
  })
})

import { expect, test } from 'vitest'
import { type Statistics, tooMuch, touchedBehind } from './buffers.ts'
import { EngineWorld } from './engine-world.ts'

test.each<Statistics>(['absent', 'stale', 'fresh'])(
  'behind 1,000 waiting jobs, with %s statistics, the hot verbs touch few buffers',
  async (statistics) => {
    const world = await EngineWorld.create()
    expect(tooMuch(await touchedBehind(world, 1000, statistics))).toEqual([])
  },
)

test('a grant that reads all that waits touches too many (so the others can fail)', async () => {
  const world = await EngineWorld.create()
  const [row] = await world.query<{ definition: string }>(
    `select pg_get_functiondef(oid) as definition from pg_proc where proname = 'grant_jobs'`,
  )
  // Joined without the place, by what a plan made without statistics has joined: the partial index of what waits.
  await world.query(
    (row?.definition ?? '').replace(
      'where j.ctid = p_jobs[t.n]',
      "where j.ctid = p_jobs[t.n] and j.status = 'pending'",
    ),
  )
  await world.query('alter table interlock.jobs set (autovacuum_enabled = false)')
  expect(tooMuch(await touchedBehind(world, 10_000, 'absent')).join()).toMatch(/claim touches/)
})

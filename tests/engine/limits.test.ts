import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

describe('set_limit', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const setLimit = (pattern: string, capacity: number | null, isPaused = false) =>
    world.query('select interlock.set_limit($1, $2, $3)', [pattern, capacity, isPaused])

  test('raised, lets as many more start at once; lowered, lets what runs go on and no more start', async () => {
    await world.enqueue(...Array.from({ length: 6 }, (_, n) => ({ id: `j${n}`, models: ['flux'] })))
    const first = await world.claim()
    expect(first).toHaveLength(1)
    await setLimit('model:flux', 3)
    const more = await world.claim()
    expect(more).toHaveLength(2)
    await setLimit('model:flux', 2)
    await world.complete(...first)
    expect(await world.claimedIds()).toHaveLength(0)
    await world.complete(...more)
    expect(await world.claimedIds()).toHaveLength(2)
    expect(await world.violations()).toEqual([])
  })

  test('a limit of everything counts what already runs, and ends with its row', async () => {
    await world.enqueue(...['a', 'b', 'c', 'd'].map((user) => ({ id: user, user })))
    const first = await world.claim(2)
    await setLimit('limit:all', 2)
    expect(await world.claimedIds()).toEqual([])
    await world.complete(...first)
    await setLimit('limit:all', 1)
    expect(await world.claimedIds()).toHaveLength(1)
    await world.query(`select interlock.remove_limit('limit:all')`)
    expect(await world.claimedIds()).toHaveLength(1)
    expect(await world.violations()).toEqual([])
  })

  test('limits of a queue and of a task apply to all of theirs', async () => {
    await setLimit('queue:low', 1)
    await setLimit('task:render', 1)
    await world.enqueue(
      { id: 'l1', queue: 'low' },
      { id: 'l2', queue: 'low' },
      { id: 'r1', task: 'render' },
      { id: 'r2', task: 'render' },
    )
    expect([...(await world.claimedIds())].sort()).toEqual(['l1', 'r1'])
  })

  test('a kind switched off frees those who wait for it; switched on again, it counts those who run', async () => {
    await world.enqueue(...['a1', 'a2', 'a3'].map((id) => ({ id, user: 'alice' })))
    const [first] = await world.claim()
    await setLimit('user:*', null)
    const rest = await world.claim()
    expect(rest.map((job) => job.job_id)).toEqual(['a2', 'a3'])
    await setLimit('user:*', 1)
    await world.enqueue({ id: 'a4', user: 'alice' })
    if (first !== undefined) await world.complete(first)
    expect(await world.claimedIds()).toEqual([])
    await world.complete(...rest)
    expect(await world.claimedIds()).toEqual(['a4'])
    expect(await world.violations()).toEqual([])
  })

  test('a paused resource is granted to nobody until it is resumed', async () => {
    await setLimit('model:flux', 1, true)
    await world.enqueue({ id: 'j', models: ['flux'] })
    expect(await world.claimedIds()).toEqual([])
    await setLimit('model:flux', 1, false)
    expect(await world.claimedIds()).toEqual(['j'])
  })

  test.each([
    ['flux', 1, false, 'pattern'],
    ['model:', 1, false, 'pattern'],
    ['model:flux', -1, false, 'capacity'],
    ['model:*', 1, true, 'paused'],
  ])('refuses %s with capacity %s (paused %s), naming %s', async (pattern, capacity, isPaused, field) => {
    expect(await world.refusal('select interlock.set_limit($1, $2, $3)', [pattern, capacity, isPaused])).toEqual({
      code: 'invalid_argument',
      field,
    })
    expect(await world.query('select * from interlock.resource_limits')).toEqual([])
  })
})

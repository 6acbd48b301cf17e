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

describe('a start rate', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const setRate = (pattern: string, startsPerMinute: number | null, capacity: number | null = null) =>
    world.query('select interlock.set_limit($1, $2, p_starts_per_minute => $3)', [pattern, capacity, startsPerMinute])
  const jobs = (count: number, more: Readonly<Record<string, unknown>> = {}) =>
    Array.from({ length: count }, (_, n) => ({ id: `j${n}`, models: ['flux'], ...more }))
  const tick = async () => {
    const [row] = await world.query<{ due: readonly string[] }>('select interlock.due_rates() as due')
    for (const rate of row?.due ?? []) await world.query('select interlock.wake_rate($1)', [rate])
    return row?.due ?? []
  }

  test('lets so many start within any minute, however soon they end, and no more', async () => {
    await setRate('model:flux', 3)
    await world.enqueue(...jobs(8))
    const first = await world.claim()
    expect(first).toHaveLength(3)
    await world.complete(...first)
    expect(await world.claimedIds()).toEqual([])
    await world.test.advanceClock(30)
    expect(await tick()).toEqual([])
    await world.test.advanceClock(31)
    expect(await tick()).toEqual(['rate:model:flux'])
    const second = await world.claim()
    expect(second).toHaveLength(3)
    await world.complete(...second)
    expect(await world.violations()).toEqual([])
    await world.test.advanceClock(61)
    await tick()
    expect(await world.claimedIds()).toHaveLength(2)
  })

  test('of a prefix is one for each resource, beside its capacity', async () => {
    await setRate('model:*', 2, 1)
    await world.enqueue(...jobs(3), { id: 'other', models: ['sdxl'] })
    const first = await world.claim()
    expect(first.map((job) => job.job_id).sort()).toEqual(['j0', 'other'])
    await world.complete(...first)
    const second = await world.claim()
    expect(second).toHaveLength(1)
    await world.complete(...second)
    expect(await world.claimedIds()).toEqual([])
    expect(await world.violations()).toEqual([])
  })

  test('set while jobs run counts their starts; raised or taken away, it lets the others go on at once', async () => {
    await world.query(`select interlock.set_limit('model:flux', 10)`)
    await world.enqueue(...jobs(8))
    const first = await world.claim(2)
    await setRate('model:flux', 2, 10)
    expect(await world.claimedIds()).toEqual([])
    await setRate('model:flux', 3, 10)
    expect(await world.claimedIds()).toHaveLength(1)
    await setRate('model:flux', null, 10)
    expect(await world.claimedIds()).toHaveLength(5)
    await world.complete(...first)
    expect(await world.violations()).toEqual([])
  })

  test('of everything, of a queue and of a task hold for all of theirs', async () => {
    await setRate('limit:all', 2)
    await world.enqueue({ id: 'a', user: 'a' }, { id: 'b', user: 'b' }, { id: 'c', user: 'c' })
    expect(await world.claimedIds()).toHaveLength(2)
    expect(await world.claimedIds()).toEqual([])
  })

  test('is explained with how many they are and when the next may start', async () => {
    await setRate('model:flux', 1)
    await world.enqueue(...jobs(2))
    await world.complete(...(await world.claim()))
    await world.claim()
    const [row] = await world.query<{ e: { sentence: string; conflict_reason: string } }>(
      `select interlock.explain_job('j1') as e`,
    )
    expect(row?.e.conflict_reason).toMatch(/^Start rate reached: model:flux, 1 a minute, the next in \d+ s/)
    expect(row?.e.sentence).toContain('rate:model:flux, which is used up for this minute')
  })

  test.each([
    ['rate:model:flux', null, 'pattern'],
    ['model:flux', 0, 'starts_per_minute'],
    ['model:flux', 100001, 'starts_per_minute'],
  ])('refuses %s, %s a minute', async (pattern, rate, field) => {
    expect(
      await world.refusal('select interlock.set_limit($1, 1, p_starts_per_minute => $2)', [pattern, rate]),
    ).toEqual({ code: 'invalid_argument', field })
  })
})

describe('pause_resource', () => {
  test('stops grants and resumes them, whatever the capacity comes from, and leaves that alone', async () => {
    const world = await EngineWorld.create()
    const pause = async (isPaused: boolean) =>
      (await world.query<{ p: boolean }>(`select interlock.pause_resource('model:flux', $1) as p`, [isPaused]))[0]?.p
    await world.query(`select interlock.set_limit('model:*', 2)`)
    await world.enqueue(...['a', 'b', 'c', 'd'].map((id) => ({ id, models: ['flux'] })))
    const running = await world.claim(1)
    expect(await pause(true)).toBe(true)
    expect(await pause(true)).toBe(false)
    expect(await world.claimedIds()).toEqual([])
    expect(await pause(false)).toBe(true)
    expect(await world.claimedIds()).toHaveLength(1)
    await world.query(`select interlock.set_limit('model:flux', 3)`)
    await pause(true)
    await world.complete(...running)
    expect(await world.claimedIds()).toEqual([])
    await pause(false)
    expect(await world.claimedIds()).toHaveLength(2)
    expect(await world.violations()).toEqual([])
    expect(await world.refusal(`select interlock.pause_resource('flux')`)).toEqual({
      code: 'invalid_argument',
      field: 'resource',
    })
  })
})

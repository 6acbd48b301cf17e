import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

describe('claim_jobs', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  test("starts one job a user, and another user's job behind a busy user", async () => {
    await world.enqueue({ id: 'a1', user: 'alice' }, { id: 'a2', user: 'alice' }, { id: 'b1', user: 'bob' })
    expect(await world.claimedIds()).toEqual(['a1', 'b1'])
  })

  test("the user's next job starts when the first is completed, never before", async () => {
    await world.enqueue({ id: 'a1', user: 'alice' }, { id: 'a2', user: 'alice' })
    const first = await world.claim()
    expect(await world.claimedIds()).toEqual([])
    await world.complete(...first)
    expect(await world.claimedIds()).toEqual(['a2'])
  })

  test('gives a job all of its models or none, and holds none while it waits', async () => {
    await world.enqueue({ id: 'flux', models: ['flux'] })
    const flux = await world.claim()
    await world.enqueue({ id: 'both', models: ['flux', 'motion'] }, { id: 'motion', models: ['motion'] })
    expect(await world.claimedIds()).toEqual(['motion'])
    await world.complete(...flux)
    expect(await world.claimedIds()).toEqual([])
    expect(await world.status('both')).toBe('pending')
  })

  test('starts the most senior first: by priority, then first in first out', async () => {
    for (const [id, priority] of Object.entries({
      low: 'low',
      n1: 'normal',
      n2: 'normal',
      crit: 'critical',
      h: 'high',
    }))
      await world.enqueue({ id, priority, models: ['flux'] })
    const order: string[] = []
    for (let n = 0; n < 5; n++) {
      const jobs = await world.claim()
      order.push(...jobs.map((job) => job.job_id))
      await world.complete(...jobs)
    }
    expect(order).toEqual(['crit', 'h', 'n1', 'n2', 'low'])
  })

  test('a batch keeps its order in one lane, whatever the ids are', async () => {
    await world.enqueue(...['z', 'm', 'a', 'k'].map((id) => ({ id })))
    expect(await world.claimedIds()).toEqual(['z', 'm', 'a', 'k'])
  })

  test('a second job of a lane starts before a junior lane, where there is room for both', async () => {
    await world.enqueue({ id: 'x1' }, { id: 'x2' }, { id: 'y1', task: 'other' }, { id: 'x3' })
    expect(await world.claimedIds(2)).toEqual(['x1', 'x2'])
    expect(await world.claimedIds(2)).toEqual(['y1', 'x3'])
  })

  test('of two slots a user of a fair queue has one, and the next user the other', async () => {
    await world.query(`select interlock.set_limit('user:*', null)`)
    await world.query(`select interlock.set_limit('model:flux', 2)`)
    const flux = { models: ['flux'] }
    await world.enqueue(
      { id: 'a1', user: 'ann', ...flux },
      { id: 'a2', user: 'ann', ...flux },
      { id: 'b', user: 'bo', ...flux },
    )
    expect(await world.claimedIds(3)).toEqual(['a1', 'b'])
  })

  test('merges the lanes of several queues by rank', async () => {
    await world.enqueue({ id: 'low', queue: 'low', priority: 'high' }, { id: 'default', queue: 'default' })
    expect(await world.claimedIds(1)).toEqual(['low'])
    expect(await world.claimedIds(1)).toEqual(['default'])
  })

  test('serves users in turn: the newcomer goes before the second job of the one just served', async () => {
    await world.enqueue(...Array.from({ length: 5 }, (_, n) => ({ id: `a${n}`, user: 'alice', models: ['flux'] })))
    const first = await world.claim()
    await world.test.advanceClock(1)
    await world.enqueue({ id: 'b', user: 'bob', models: ['flux'] })
    await world.absorb()
    await world.test.advanceClock(1)
    await world.complete(...first)
    const second = await world.claim()
    await world.test.advanceClock(1)
    await world.complete(...second)
    const third = await world.claim()
    expect([...second, ...third].map((job) => job.job_id)).toContain('b')
  })

  test('never gives more than the limit, the agent has slots, or one that is not active', async () => {
    const small = await world.register('small', { slots: 2 })
    await world.enqueue(...Array.from({ length: 6 }, (_, n) => ({ id: `j${n}` })))
    expect(await world.claimedIds(1, small)).toHaveLength(1)
    expect(await world.claimedIds(100, small)).toHaveLength(1)
    expect(await world.claimedIds(100, small)).toHaveLength(0)
    expect(await world.refusal(`select * from interlock.claim_jobs('nobody.1')`)).toMatchObject({
      code: 'agent_not_active',
    })
    expect(await world.refusal('select * from interlock.claim_jobs($1, null, 0)', [small])).toMatchObject({
      code: 'invalid_argument',
      field: 'limit',
    })
  })

  test('gives an agent only jobs of its own queues, and nothing of a paused one', async () => {
    const high = await world.register('high-only', { queues: ['high'] })
    await world.enqueue({ id: 'd' }, { id: 'h', queue: 'high' })
    expect(await world.claimedIds(100, high)).toEqual(['h'])
    await world.query(`select interlock.set_queue('default', '{"is_paused": true}')`)
    expect(await world.claimedIds()).toEqual([])
    await world.query(`select interlock.set_queue('default', '{"is_paused": false}')`)
    expect(await world.claimedIds()).toEqual(['d'])
  })

  test('leaves an agent above the load ceiling alone', async () => {
    await world.query('select * from interlock.heartbeat_agent($1, $2, $3, $4)', [
      world.agent,
      [],
      [],
      { cpu_percent: 100, memory_percent: 100, queue_depth: 100 },
    ])
    await world.enqueue({ id: 'j' })
    expect(await world.claimedIds()).toEqual([])
  })

  test('hands out a token and fences that rise with every grant of a resource', async () => {
    await world.enqueue({ id: 'a1', user: 'alice' }, { id: 'a2', user: 'alice' })
    const [first] = await world.claim()
    if (first === undefined) throw new Error('nothing was claimed')
    await world.complete(first)
    const [second] = await world.claim()
    expect(second?.token).toBeGreaterThan(first.token)
    expect(second?.fences['user:alice']).toBeGreaterThan(first.fences['user:alice'] ?? 0)
  })

  test('with room for one, whom a blocked lane passes its resource on to comes before a junior lane that was awake', async () => {
    await world.enqueue({ id: 'hold-flux', models: ['flux'] }, { id: 'hold-bob', user: 'bob' })
    const [flux, bob] = await world.claim()
    await world.enqueue({ id: 'bob-flux', user: 'bob', models: ['flux'], priority: 'critical' })
    await world.claim()
    await world.enqueue({ id: 'image', models: ['flux'], priority: 'high' })
    await world.claim()
    if (flux === undefined || bob === undefined) throw new Error('nothing was claimed')
    // bob-flux is parked on user:bob, image on model:flux. Freed, flux wakes image; then bob's lane is awake as well,
    // takes the wake of flux, and is blocked again by who has bob.
    await world.complete(flux)
    await world.enqueue({ id: 'junior' })
    await world.absorb()
    expect((await world.claimOnce(1)).jobs.map((job) => job.job_id)).toEqual(['image'])
  })

  test('passes over a head that an open transaction is cancelling, and says contended', async () => {
    await world.enqueue({ id: 'a1', user: 'alice' })
    await world.absorb()
    const open = await world.test.database.connect()
    await open.query('begin')
    await open.query(`select * from interlock.cancel_job('a1')`)
    const answer = await world.claimOnce()
    expect(answer).toMatchObject({ jobs: [], contended: [expect.any(String)] })
    await open.query('rollback')
    await open.close()
    expect(await world.claimedIds()).toEqual(['a1'])
  })

  test('skips a lane whose resource another session holds, and claim_lane waits for it', async () => {
    await world.enqueue({ id: 'a1', user: 'alice' }, { id: 'b1', user: 'bob' })
    await world.absorb()
    const other = await world.test.database.connect()
    await other.query('begin')
    await other.query(`select pg_advisory_xact_lock(interlock.lock_key('user:alice'))`)
    const answer = await world.claimOnce()
    expect(answer.jobs.map((job) => job.job_id)).toEqual(['b1'])
    expect(answer.contended).toHaveLength(1)
    const lone = world.query<{ jobs: { job_id: string }[] }>('select jobs from interlock.claim_lane($1, $2)', [
      world.agent,
      answer.contended[0],
    ])
    await other.query('commit')
    await other.close()
    expect((await lone)[0]?.jobs.map((job) => job.job_id)).toEqual(['a1'])
  })

  test('refuses another isolation level and a transaction that has written', async () => {
    const connection = await world.test.database.connect()
    await connection.query('begin isolation level repeatable read')
    await expect(connection.query('select * from interlock.claim_jobs($1)', [world.agent])).rejects.toMatchObject({
      code: 'wrong_transaction',
    })
    await connection.query('rollback; begin')
    await connection.query(`select * from interlock.enqueue_jobs('[{"task": "work"}]')`)
    await expect(connection.query('select * from interlock.claim_jobs($1)', [world.agent])).rejects.toMatchObject({
      code: 'wrong_transaction',
    })
    await connection.query('rollback')
    await connection.close()
  })
})

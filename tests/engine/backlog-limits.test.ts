import type { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'
import { Sessions } from './sessions.ts'

describe('limits of unfinished jobs', () => {
  let world: EngineWorld
  let sessions: Sessions
  beforeEach(async () => {
    world = await EngineWorld.create()
    sessions = new Sessions(world.test)
  })
  afterEach(async () => {
    await sessions.close()
  })

  const setQueue = (name: string, settings: object) =>
    world.query('select interlock.set_queue($1, $2)', [name, JSON.stringify(settings)])
  const setLimit = (scope: string, most: number | null, whenFull = 'refuse') =>
    world.query('select interlock.set_backlog_limit($1, $2, $3)', [scope, most, whenFull])
  const refused = (...jobs: readonly Record<string, unknown>[]) =>
    world.refusal('select * from interlock.enqueue_jobs($1)', [
      JSON.stringify(jobs.map((job) => ({ task: 'work', queue: 'default', ...job }))),
    ])
  const unfinished = async () => (await world.query('select id from interlock.jobs order by id')).map(({ id }) => id)

  test('a full queue refuses one more and takes it once one has ended; another queue takes it meanwhile', async () => {
    await setQueue('default', { max_unfinished: 2 })
    await world.enqueue({ id: 'a' }, { id: 'b' })
    expect(await refused({ id: 'c' })).toEqual({ code: 'queue_full', field: 'queue' })
    await world.enqueue({ id: 'other', queue: 'low' })
    const [running] = await world.claim(1)
    if (running === undefined) throw new Error('nothing was claimed')
    expect(await refused({ id: 'c' })).toEqual({ code: 'queue_full', field: 'queue' })
    await world.complete(running)
    await world.enqueue({ id: 'c' })
    expect(await refused({ id: 'd' })).toMatchObject({ code: 'queue_full' })
  })

  test('what was there before the limit counts, and a batch beyond the room is refused whole', async () => {
    await world.enqueue({ id: 'a' }, { id: 'b' }, { id: 'c' })
    await setQueue('default', { max_unfinished: 4 })
    expect(await refused({ id: 'd' }, { id: 'e' })).toMatchObject({ code: 'queue_full' })
    await world.enqueue({ id: 'd' })
    expect(await refused({ id: 'e' })).toMatchObject({ code: 'queue_full' })
    await world.test.advanceClock(61)
    await world.complete(...(await world.claim(3)))
    await world.enqueue({ id: 'e' }, { id: 'f' }, { id: 'g' })
    expect(await refused({ id: 'h' })).toMatchObject({ code: 'queue_full' })
    expect(await unfinished()).toEqual(['d', 'e', 'f', 'g'])
  })

  test('drop_oldest deletes the oldest waiting one, logged with its reason, and never one that runs', async () => {
    await setQueue('default', { max_unfinished: 3, when_full: 'drop_oldest' })
    await world.enqueue({ id: 'a' })
    const [running] = await world.claim()
    await world.test.advanceClock(1)
    await world.enqueue({ id: 'b', delay_seconds: 60 })
    await world.test.advanceClock(1)
    await world.enqueue({ id: 'c' })
    await world.enqueue({ id: 'd' })
    expect(await unfinished()).toEqual(['a', 'c', 'd'])
    expect(
      await world.query(
        `select event_type, from_status, conflict_reason from interlock.job_queue_log where job_id = 'b' order by id desc limit 1`,
      ),
    ).toEqual([
      {
        event_type: 'deleted',
        from_status: 'scheduled',
        conflict_reason: 'dropped for a newer job: queue default is full (3 unfinished jobs)',
      },
    ])
    await world.enqueue({ id: 'e' }, { id: 'f' })
    expect(await unfinished()).toEqual(['a', 'e', 'f'])
    // One slot of the three is the running job's.
    expect(await refused({ id: 'g' }, { id: 'h' }, { id: 'i' })).toMatchObject({ code: 'queue_full' })
    expect(await unfinished()).toEqual(['a', 'e', 'f'])
    if (running !== undefined) await world.complete(running)
  })

  test('limits in all and by task hold together; a dropped one of the task makes room in all', async () => {
    await setLimit('all', 3)
    await setLimit('task:analyze', 1, 'drop_oldest')
    await world.enqueue({ id: 'a', task: 'analyze' }, { id: 'b', queue: 'low' }, { id: 'c', queue: 'high' })
    expect(await refused({ id: 'd' })).toEqual({ code: 'queue_full', field: 'queue' })
    await world.enqueue({ id: 'e', task: 'analyze', queue: 'low' })
    expect(await unfinished()).toEqual(['b', 'c', 'e'])
    await setLimit('all', null)
    await world.enqueue({ id: 'd' })
    await setLimit('task:analyze', null)
    expect(await world.query('select * from interlock.backlog_limits')).toEqual([])
    await world.enqueue({ task: 'analyze' })
    expect(await world.query('select count(*)::integer as n from interlock.jobs where is_counted')).toEqual([{ n: 3 }])
  })

  test('neither dead letters nor manual locks count', async () => {
    await setLimit('all', 1)
    await world.query(`select * from interlock.acquire_lock('{user:zoe}', 'me')`)
    await world.enqueue({ id: 'a', max_attempts: 1 })
    const [claimed] = await world.claim()
    if (claimed !== undefined) await world.fail(claimed, 'never')
    await world.enqueue({ id: 'b' })
    expect(await refused({ id: 'c' })).toMatchObject({ code: 'queue_full' })
  })

  test('what is skipped for its unique_key needs no room', async () => {
    await setQueue('default', { max_unfinished: 1 })
    const [id] = await world.enqueue({ unique_key: 'k' })
    expect(await world.enqueue({ unique_key: 'k' })).toEqual([id])
    expect(await refused({ unique_key: 'l' })).toMatchObject({ code: 'queue_full' })
  })

  test.each<[string, unknown[], string]>([
    ['interlock.set_backlog_limit($1, 1)', ['queue:default'], 'scope'],
    ['interlock.set_backlog_limit($1, 1)', ['task:has spaces'], 'scope'],
    ['interlock.set_backlog_limit($1, 1)', [null], 'scope'],
    ['interlock.set_backlog_limit($1, -1)', ['all'], 'max_unfinished'],
    ['interlock.set_backlog_limit($1, 1, $2)', ['all', 'panic'], 'when_full'],
    ['interlock.set_queue($1, $2)', ['default', '{"when_full": "panic"}'], 'settings'],
    ['interlock.set_queue($1, $2)', ['default', '{"max_unfinished": -1}'], 'settings'],
    ['interlock.set_queue($1, $2)', ['default', '{"heartbeat_seconds": 0}'], 'settings'],
    ['interlock.set_queue($1, $2)', ['locks', '{"max_unfinished": 5}'], 'max_unfinished'],
  ])('%s refuses %j', async (call, values, field) => {
    expect(await world.refusal(`select ${call}`, values)).toEqual({ code: 'invalid_argument', field })
    expect(await world.query('select * from interlock.backlog_limits')).toEqual([])
  })

  test('of two enqueuers for the last place the second waits for the first, and is refused', async () => {
    await setQueue('default', { max_unfinished: 1 })
    const [one, two] = [await sessions.open(), await sessions.open()]
    const enqueue = (client: Client, queue = 'default') =>
      client.query('select * from interlock.enqueue_jobs($1)', [JSON.stringify([{ task: 'work', queue }])])
    // The first bell of a database makes the task that it is of, and others would wait for that.
    await enqueue(two, 'low')
    await one.query('begin')
    await enqueue(one)
    // Who is limited by nothing waits for nobody.
    await enqueue(await sessions.open(), 'low')
    const second = enqueue(two).catch((error: unknown) => error)
    await sessions.untilAwaited(one, 'the second to wait for the first')
    await one.query('commit')
    expect(await second).toMatchObject({ code: 'IL007' })
  })

  test('forty enqueuers race for ten places: the limit is never exceeded', async () => {
    await setQueue('default', { max_unfinished: 10 })
    await world.enqueue({ queue: 'low' })
    let most = 0
    const taken = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const isTaken = await world.enqueue({}).then(
          () => true,
          () => false,
        )
        const [row] = await world.query<{ n: number }>(
          `select count(*)::integer as n from interlock.jobs where queue = 'default'`,
        )
        most = Math.max(most, row?.n ?? 0)
        return isTaken
      }),
    )
    expect(taken.filter(Boolean)).toHaveLength(10)
    expect(most).toBe(10)
  })

  test('a queue whose next in line has waited too long for an agent takes no more, until an agent comes', async () => {
    await setQueue('default', { refuse_after_wait_seconds: 60 })
    await world.query('select interlock.set_limit($1, 1)', ['queue:default'])
    await world.enqueue({ id: 'a' }, { id: 'b', user: 'alice' })
    await world.absorb()
    await world.test.advanceClock(59)
    await world.enqueue({ id: 'c', user: 'bob', priority: 'critical' })
    await world.absorb()
    await world.test.advanceClock(2)
    expect(await refused({ id: 'd' })).toEqual({ code: 'queue_full', field: 'queue' })
    await world.enqueue({ id: 'e', queue: 'low' })
    const [running] = await world.claim(1)
    expect(running?.job_id).toBe('c')
    // What is left waits for the queue's own limit, and not for an agent: more agents would not help.
    expect(await world.claim(1)).toMatchObject([{ job_id: 'e' }])
    await world.enqueue({ id: 'd' })
  })
})

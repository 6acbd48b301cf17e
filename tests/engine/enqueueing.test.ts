import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

describe('enqueue_jobs', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  test.each<[Record<string, unknown>, string, string]>([
    [{ task: 1 }, 'invalid_argument', 'task'],
    [{ task: 'has spaces' }, 'invalid_argument', 'task'],
    [{ user: 'a*' }, 'invalid_argument', 'user'],
    [{ user: '' }, 'invalid_argument', 'user'],
    [{ priority: 'urgent' }, 'invalid_argument', 'priority'],
    [{ priority: 4 }, 'invalid_argument', 'priority'],
    [{ models: 'flux' }, 'invalid_argument', 'models'],
    [{ models: [1] }, 'invalid_argument', 'models'],
    [{ resources: ['flux'] }, 'invalid_argument', 'resources'],
    [{ resources: Array.from({ length: 33 }, (_, n) => `r:${n}`) }, 'invalid_argument', 'resources'],
    [{ payload: [] }, 'invalid_argument', 'payload'],
    [{ payload: { x: 'x'.repeat(300_000) } }, 'invalid_argument', 'payload'],
    [{ payload: { x: Array.from({ length: 50_000 }, (_, n) => n) } }, 'invalid_argument', 'payload'],
    [{ run_at: 'soon' }, 'invalid_argument', 'run_at'],
    [{ run_at: 'infinity' }, 'invalid_argument', 'run_at'],
    [{ delay_seconds: -1 }, 'invalid_argument', 'delay_seconds'],
    [{ timeout_seconds: 0 }, 'invalid_argument', 'timeout_seconds'],
    [{ timeout_seconds: 1.5 }, 'invalid_argument', 'timeout_seconds'],
    [{ max_attempts: 101 }, 'invalid_argument', 'max_attempts'],
    [{ retry_delays_seconds: [-1] }, 'invalid_argument', 'retry_delays_seconds'],
    [{ permission_level: 'root' }, 'invalid_argument', 'permission_level'],
    [{ start: 'no' }, 'invalid_argument', 'start'],
    [{ id: '/etc' }, 'invalid_argument', 'id'],
    [{ colour: 'red' }, 'invalid_argument', 'colour'],
    [{ queue: 'nowhere' }, 'queue_not_found', 'queue'],
  ])('refuses %.80j, naming the field, and changes nothing', async (wrong, code, field) => {
    const good = { task: 'work', user: 'alice' }
    expect(
      await world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify([{ ...good, ...wrong }])]),
    ).toEqual({ code, field })
    expect(
      await world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify([good, { ...good, ...wrong }])]),
    ).toEqual({ code, field: `jobs[1].${field}` })
    for (const table of ['jobs', 'job_lane_touches'])
      expect(await world.query(`select * from interlock.${table}`)).toEqual([])
  })

  test('refuses an id that exists, alive or ended, and the whole batch with it', async () => {
    await world.enqueue({ id: 'once' })
    expect(
      await world.refusal('select * from interlock.enqueue_jobs($1)', [
        JSON.stringify([{ task: 'work' }, { task: 'work', id: 'once' }]),
      ]),
    ).toMatchObject({ code: 'idempotency_conflict', field: 'id' })
    await world.complete(...(await world.claim()))
    expect(
      await world.refusal('select * from interlock.enqueue_jobs($1)', [JSON.stringify([{ task: 'work', id: 'once' }])]),
    ).toMatchObject({ code: 'idempotency_conflict', field: 'id' })
    expect(await world.query('select * from interlock.jobs')).toEqual([])
  })

  test('sorts what a job needs into one order, without repeats, and names each model once', async () => {
    await world.enqueue({
      id: 'j',
      user: 'alice',
      models: ['b', 'a', 'b'],
      resources: ['tool:z', 'model:a', 'limit:gpu'],
    })
    expect(await world.query('select resources from interlock.jobs')).toEqual([
      { resources: ['user:alice', 'tool:z', 'model:a', 'model:b', 'limit:gpu'] },
    ])
  })

  test('chooses the queue by the priority where none is named', async () => {
    await world.query('select * from interlock.enqueue_jobs($1)', [
      JSON.stringify(['critical', 'high', 'normal', 'low', 0.5].map((priority) => ({ task: 'work', priority }))),
    ])
    const rows = await world.query<{ queue: string }>('select queue from interlock.jobs order by id')
    expect(rows.map((row) => row.queue)).toEqual(['high', 'high', 'default', 'low', 'high'])
  })

  test('waits for nobody inside a caller’s transaction, and leaves nothing when that rolls back', async () => {
    await world.enqueue({ id: 'a1', user: 'alice' })
    await world.absorb()
    const connection = await world.test.database.connect()
    await connection.query('begin isolation level serializable')
    await connection.query(`select * from interlock.enqueue_jobs('[{"task": "work", "id": "a2", "user": "alice"}]')`)
    expect(await world.claimedIds()).toEqual(['a1'])
    await connection.query('rollback')
    await connection.close()
    await world.absorb()
    expect(await world.query(`select id from interlock.jobs where id = 'a2'`)).toEqual([])
  })

  test('rings graphile-worker only if an agent of the route has room', async () => {
    const bells = async () => (await world.query('select 1 from graphile_worker._private_jobs')).length
    await world.enqueue({ id: 'j' })
    expect(await bells()).toBe(1)
    await world.query('select * from interlock.drain_agent($1)', [world.agent])
    await world.enqueue({ id: 'k' })
    expect(await bells()).toBe(1)
  })
})

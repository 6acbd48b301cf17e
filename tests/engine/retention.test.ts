import { beforeEach, describe, expect, test } from 'vitest'
import { defaultRetention, Pruner } from '../../src/coordinator/pruner.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import type { Retention } from '../../src/store/upkeep.ts'
import { EngineWorld } from './engine-world.ts'

const hour = 3600
const day = 24 * hour

let world: EngineWorld
beforeEach(async () => {
  world = await EngineWorld.create()
})

const prune = (retention: Partial<Retention> = {}) =>
  new Pruner(world.test.database, { ...defaultRetention, ...retention }, createSilentLogger()).prune()
const keptOf = async (): Promise<readonly string[]> => {
  const rows = await world.query<{ job_id: string }>('select job_id from interlock.job_results order by job_id')
  return rows.map((row) => row.job_id)
}
/** Runs a job to its end, with a result or without. */
const run = async (id: string, options: Record<string, unknown> = {}, result: unknown = null) => {
  const queue = String(options.queue ?? 'default')
  world.agent = await world.register('worker', { queues: [queue] })
  await world.enqueue({ id, payload: { n: 1 }, ...options })
  const [job] = await world.claim()
  await world.query('select interlock.complete_jobs($1, $2, $3::jsonb[])', [
    [job?.job_id],
    [job?.token],
    result === null ? null : [JSON.stringify(result)],
  ])
}
const bury = async (id: string, options: Record<string, unknown> = {}) => {
  world.agent = await world.register('worker')
  await world.enqueue({ id, payload: { n: 1 }, ...options })
  const [job] = await world.claim()
  if (job === undefined) throw new Error('nothing to fail')
  await world.fail(job, 'never')
}

describe('what a job leaves behind', () => {
  test('is kept as long as its outcome and its queue say: 6, 12 and 24 hours, 7 days, for ever', async () => {
    await world.query(
      `select interlock.set_queue('archive', '{"result_retention_seconds": 0, "finished_retention_seconds": 0}')`,
    )
    await run('bare')
    await run('answered', {}, { url: 'x' })
    await run('low', { queue: 'low' }, { url: 'x' })
    await run('for-ever', { queue: 'archive' }, { url: 'x' })
    await run('for-ever-bare', { queue: 'archive' })
    await world.enqueue({ id: 'cancelled', payload: { n: 1 } })
    await world.query(`select interlock.cancel_job('cancelled')`)

    const leftAfter = async (seconds: number) => {
      await world.test.advanceClock(seconds)
      await prune()
      return keptOf()
    }
    const all = ['answered', 'bare', 'cancelled', 'for-ever', 'for-ever-bare', 'low']
    expect(await leftAfter(6 * hour - 60)).toEqual(all)
    expect(await leftAfter(120)).toEqual(all.filter((id) => id !== 'bare'))
    expect(await leftAfter(6 * hour)).toEqual(['answered', 'cancelled', 'for-ever', 'for-ever-bare'])
    expect(await leftAfter(12 * hour)).toEqual(['cancelled', 'for-ever', 'for-ever-bare'])
    expect(await leftAfter(6 * day)).toEqual(['for-ever', 'for-ever-bare'])
    // Their ids stay findable.
    for (const id of all) expect(await world.status(id)).toMatch(/^(completed|cancelled)$/)
    expect(await world.refusal(`select interlock.enqueue_jobs('[{"task": "work", "id": "bare"}]')`)).toEqual({
      code: 'idempotency_conflict',
      field: 'id',
    })
  })

  test('a dead letter waits for a person, for ever or as long as its queue says; its error is kept on', async () => {
    await world.query(`select interlock.set_queue('brief', '{"dead_letter_retention_seconds": 604800}')`)
    await bury('patient')
    world.agent = await world.register('worker', { queues: ['brief'] })
    await world.enqueue({ id: 'brief-1', queue: 'brief' })
    const [job] = await world.claim()
    if (job === undefined) throw new Error('nothing to fail')
    await world.fail(job, 'never')
    await world.test.advanceClock(7 * day - 60)
    expect(await prune()).toMatchObject({ dead_letters: 0 })
    await world.test.advanceClock(120)
    expect(await prune()).toMatchObject({ dead_letters: 1 })
    expect(await world.status('brief-1')).toBe('deleted')
    expect(await world.status('patient')).toBe('failed')
    expect(
      await world.query(`select error ->> 'message' as message from interlock.job_results where job_id = 'brief-1'`),
    ).toEqual([{ message: 'boom' }])
    const [event] = await world.query(
      `select actor, conflict_reason from interlock.job_queue_log where job_id = 'brief-1' and event_type = 'deleted'`,
    )
    expect(event).toEqual({ actor: 'retention', conflict_reason: 'its time as a dead letter is over' })
    await world.test.advanceClock(1000 * day)
    await prune({ logDays: 0 })
    expect(await world.status('patient')).toBe('failed')
  })

  test('output and idempotency keys go by their own days, 0 for ever; the output of a live job stays', async () => {
    const write = (id: string) =>
      world.query(
        `insert into interlock.job_output (job_id, attempt, stream, created_at, lines, total_bytes)
         values ($1, 1, 'stdout', interlock.clock(), 'hello', 5)`,
        [id],
      )
    const count = async () => {
      const [row] = await world.query<{ outputs: number; keys: number }>(
        `select (select count(*)::int from interlock.job_output) as outputs, (select count(*)::int from interlock.idempotency_keys) as keys`,
      )
      return row
    }
    await run('ended')
    await bury('dead')
    await write('ended')
    await write('dead')
    await world.query(`select interlock.enqueue_once('k', '[{"task": "work"}]')`)
    await world.test.advanceClock(3 * day)
    await prune({ outputDays: 0, onceKeyDays: 0 })
    expect(await count()).toEqual({ outputs: 2, keys: 1 })
    await prune({ outputDays: 2, onceKeyDays: 4 })
    expect(await count()).toEqual({ outputs: 1, keys: 1 })
    await prune({ outputDays: 2, onceKeyDays: 2 })
    expect(await count()).toEqual({ outputs: 1, keys: 0 })
  })

  test('more than one call takes goes in one run', async () => {
    await world.query(
      `insert into interlock.job_results (job_id, finished_at, expires_at, result)
       select 'r' || n, interlock.clock(), interlock.clock() - interval '1 second', '1' from generate_series(1, 25000) as n`,
    )
    expect(await prune()).toMatchObject({ results: 25_000 })
    expect(await keptOf()).toEqual([])
  })
})

describe('prune_history', () => {
  test('does not stand in anybody’s way for long while somebody reads what should go, and takes it afterwards', async () => {
    await world.query(`select interlock.ensure_partitions('job_queue_log', 0)`)
    await world.enqueue({ id: 'old' })
    await world.test.advanceClock(9 * day)
    await world.query(
      `insert into interlock.job_results (job_id, finished_at, expires_at, result) values ('r', interlock.clock(), interlock.clock(), '1')`,
    )
    const call = async () =>
      (
        await world.query<{ partitions: number; results: number; is_held_up: boolean }>(
          'select * from interlock.prune_history()',
        )
      )[0]
    const reader = await world.test.database.pool.connect()
    try {
      await reader.query('begin')
      await reader.query('select count(*) from interlock.job_queue_log')
      // What nobody reads goes all the same.
      expect(await call()).toMatchObject({ partitions: 0, results: 1, is_held_up: true })
      await reader.query('commit')
    } finally {
      reader.release()
    }
    expect(await call()).toMatchObject({ partitions: 1, is_held_up: false })
  })

  test.each([
    ['-1', 'log_days'],
    ['1, -1', 'history_days'],
    ['p_output_days => null', 'output_days'],
    ['p_key_days => -5', 'key_days'],
    ['p_limit => 0', 'limit'],
  ])('refuses (%s) by name', async (parameters, field) => {
    expect(await world.refusal(`select interlock.prune_history(${parameters})`)).toEqual({
      code: 'invalid_argument',
      field,
    })
  })
})

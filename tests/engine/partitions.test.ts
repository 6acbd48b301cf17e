import { beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'

describe('ensure_partitions', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const ensure = async (table: string) =>
    (await world.query<{ n: number }>('select interlock.ensure_partitions($1, 2) as n', [table]))[0]?.n

  const partitionsOf = async (table: string) =>
    world.query<{ partition: string; rows: number }>(
      `select tableoid::regclass::text as partition, count(*)::integer as rows from interlock.${table} group by 1 order by 1`,
    )

  test('makes them once', async () => {
    expect(await ensure('job_queue_log')).toBe(3)
    expect(await ensure('job_queue_log')).toBe(0)
    expect(await ensure('task_history')).toBeGreaterThanOrEqual(1)
    expect(await ensure('task_history')).toBe(0)
  })

  test('what was written before there were any moves into its own, and stays as it was', async () => {
    await world.enqueue({ id: 'first', user: 'alice' })
    await world.complete(...(await world.claim()))
    const timeline = () => world.query('select * from interlock.job_queue_log order by id')
    const history = () => world.query('select * from interlock.task_history order by finished_at')
    const before = { log: await timeline(), history: await history() }
    expect(await partitionsOf('job_queue_log')).toMatchObject([{ partition: 'interlock.job_queue_log_default' }])
    await world.test.advanceClock(3 * 86_400)
    await world.enqueue({ id: 'second', user: 'alice' })

    expect(await ensure('job_queue_log')).toBe(4)
    expect(await ensure('task_history')).toBeGreaterThanOrEqual(1)
    const days = await partitionsOf('job_queue_log')
    expect(days.map((day) => day.partition)).toEqual([
      expect.stringMatching(/job_queue_log_\d{8}$/),
      expect.stringMatching(/job_queue_log_\d{8}$/),
    ])
    expect((await partitionsOf('task_history')).map((month) => month.partition)).toEqual([
      expect.stringMatching(/task_history_\d{6}$/),
    ])
    expect((await timeline()).slice(0, before.log.length)).toEqual(before.log)
    expect(await history()).toEqual(before.history)
    await expect(world.query('delete from interlock.job_queue_log')).rejects.toMatchObject({ code: 'not_permitted' })
    await world.enqueue({ id: 'third', user: 'alice' })
    expect(await partitionsOf('job_queue_log')).toHaveLength(2)
    expect(await world.violations()).toEqual([])
  })

  test('gives way to a long reader, and lets the others write meanwhile', async () => {
    const reader = await world.test.database.pool.connect()
    try {
      await reader.query('begin')
      await reader.query('select count(*) from interlock.job_queue_log')
      await expect(ensure('job_queue_log')).rejects.toMatchObject({ cause: { code: '55P03' } })
      await world.enqueue({ id: 'first', user: 'alice' })
      await reader.query('commit')
    } finally {
      reader.release()
    }
    expect(await ensure('job_queue_log')).toBe(3)
  })

  test('old partitions go, of one table a call, late rows of days past with them', async () => {
    await world.enqueue({ id: 'first', user: 'alice' })
    await world.complete(...(await world.claim()))
    await world.test.advanceClock(400 * 86_400)
    await ensure('job_queue_log')
    await ensure('task_history')
    const prune = async () =>
      (await world.query<{ partitions: number }>('select partitions from interlock.prune_history(7, 7)'))[0]?.partitions
    expect(await prune()).toBe(1)
    expect(await prune()).toBe(1)
    expect(await prune()).toBe(0)
    expect(await world.query('select from interlock.job_queue_log')).toEqual([])
    expect(await world.query('select from interlock.task_history')).toEqual([])
  })

  test.each([
    ['jobs', 1, 'table'],
    ['job_queue_log', 367, 'days_ahead'],
    ['job_queue_log', null, 'days_ahead'],
    [null, 1, 'table'],
  ])('refuses table %s, %s days ahead', async (table, days, column) => {
    await expect(world.query('select interlock.ensure_partitions($1, $2)', [table, days])).rejects.toMatchObject({
      code: 'invalid_argument',
      field: column,
    })
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EngineWorld } from './engine-world.ts'
import { Sessions } from './sessions.ts'

interface Enqueued {
  readonly ordinal: number
  readonly job_id: string
  readonly status: string
  readonly is_duplicate: boolean
}

describe('enqueue_jobs, unique_key', () => {
  let world: EngineWorld
  let sessions: Sessions
  beforeEach(async () => {
    world = await EngineWorld.create()
    sessions = new Sessions(world.test)
  })
  afterEach(async () => {
    await sessions.close()
  })

  const enqueue = (...jobs: readonly Record<string, unknown>[]) =>
    world.query<Enqueued>('select * from interlock.enqueue_jobs($1) order by ordinal', [json(jobs)])
  const json = (jobs: readonly Record<string, unknown>[]) =>
    JSON.stringify(jobs.map((job) => ({ task: 'work', ...job })))
  const refused = (...jobs: readonly Record<string, unknown>[]) =>
    world.refusal('select * from interlock.enqueue_jobs($1)', [json(jobs)])

  test('skip: the second caller is given the first one’s job, waiting or running, and nothing is written', async () => {
    const [first] = await enqueue({ unique_key: 'repo-7' })
    expect(first).toMatchObject({ status: 'pending', is_duplicate: false })
    expect(await enqueue({ unique_key: 'repo-7' })).toEqual([
      { ordinal: 1, job_id: first?.job_id, status: 'pending', is_duplicate: true },
    ])
    const [running] = await world.claim()
    if (running === undefined) throw new Error('nothing was claimed')
    await world.start(running)
    expect(await enqueue({ unique_key: 'repo-7', on_duplicate: 'skip' })).toMatchObject([
      { job_id: first?.job_id, status: 'running', is_duplicate: true },
    ])
    expect(await world.timeline(first?.job_id ?? '')).toEqual(['enqueued', 'assigned', 'started'])
    await world.complete(running)
    expect(await enqueue({ unique_key: 'repo-7' })).toMatchObject([{ status: 'pending', is_duplicate: false }])
  })

  test('in a batch, what is known is skipped in its place and the rest is enqueued', async () => {
    const [known] = await enqueue({ unique_key: 'b' })
    const rows = await enqueue({ unique_key: 'a', id: 'one' }, { unique_key: 'b', id: 'two' }, { id: 'three' })
    expect(rows.map(({ ordinal, job_id, is_duplicate }) => [ordinal, job_id, is_duplicate])).toEqual([
      [1, 'one', false],
      [2, known?.job_id, true],
      [3, 'three', false],
    ])
    expect(await world.status('two')).toBeNull()
  })

  test('replace: the waiting one is cancelled for the new one; a running one is left alone and the new one refused', async () => {
    const [old] = await enqueue({ unique_key: 'k', payload: { version: 1 } })
    const [next] = await enqueue({ unique_key: 'k', on_duplicate: 'replace', payload: { version: 2 } })
    expect(next?.is_duplicate).toBe(false)
    expect(await world.status(old?.job_id ?? '')).toBe('cancelled')
    expect(await world.query('select reason from interlock.task_history where job_id = $1', [old?.job_id])).toEqual([
      { reason: 'replaced by a newer job with its unique_key' },
    ])
    expect(await world.claimedIds()).toEqual([next?.job_id])
    expect(await refused({ unique_key: 'k', on_duplicate: 'replace' })).toEqual({
      code: 'idempotency_conflict',
      field: 'unique_key',
    })
    expect(await world.status(next?.job_id ?? '')).toBe('assigned')
  })

  test('refuse names the field, also in a batch, and enqueues nothing of it', async () => {
    await enqueue({ unique_key: 'k' })
    expect(await refused({ unique_key: 'k', on_duplicate: 'refuse' })).toEqual({
      code: 'idempotency_conflict',
      field: 'unique_key',
    })
    expect(await refused({ id: 'other' }, { unique_key: 'k', on_duplicate: 'refuse' })).toEqual({
      code: 'idempotency_conflict',
      field: 'jobs[1].unique_key',
    })
    expect(await world.status('other')).toBeNull()
  })

  test.each<[Record<string, unknown>, string]>([
    [{ unique_key: '' }, 'unique_key'],
    [{ unique_key: 7 }, 'unique_key'],
    [{ unique_key: 'x'.repeat(201) }, 'unique_key'],
    [{ unique_key: 'a\nb' }, 'unique_key'],
    [{ unique_key: 'k', on_duplicate: 'merge' }, 'on_duplicate'],
    [{ on_duplicate: 'skip' }, 'on_duplicate'],
  ])('refuses %.60j', async (wrong, field) => {
    expect(await refused(wrong)).toEqual({ code: 'invalid_argument', field })
    expect(await world.query('select * from interlock.jobs')).toEqual([])
  })

  test('a key that stands twice in a batch is refused, with the place', async () => {
    expect(await refused({ unique_key: 'k' }, {}, { unique_key: 'k' })).toEqual({
      code: 'invalid_argument',
      field: 'jobs[2].unique_key',
    })
  })

  test('a dead letter frees its key, and is not requeued beside another job of it', async () => {
    const [dead] = await enqueue({ unique_key: 'k', max_attempts: 1 })
    const [claimed] = await world.claim()
    if (claimed === undefined) throw new Error('nothing was claimed')
    expect(await world.fail(claimed)).toBe('failed')
    const [next] = await enqueue({ unique_key: 'k' })
    expect(next?.is_duplicate).toBe(false)
    expect(await world.refusal('select * from interlock.requeue_job($1)', [dead?.job_id])).toEqual({
      code: 'idempotency_conflict',
      field: 'unique_key',
    })
    await world.complete(...(await world.claim()))
    await world.query('select * from interlock.requeue_job($1)', [dead?.job_id])
    expect(await enqueue({ unique_key: 'k' })).toMatchObject([{ job_id: dead?.job_id, is_duplicate: true }])
  })

  test.each(['commit', 'rollback'])('of two that ask at once the second waits for the first to %s', async (end) => {
    const [one, two] = [await sessions.open(), await sessions.open()]
    await one.query('begin')
    const first = await one.query<Enqueued>('select * from interlock.enqueue_jobs($1)', [json([{ unique_key: 'k' }])])
    const second = two.query<Enqueued>('select * from interlock.enqueue_jobs($1)', [json([{ unique_key: 'k' }])])
    await sessions.untilAwaited(one, 'the second to wait for the first')
    await one.query(end)
    const rows = (await second).rows
    if (end === 'commit') expect(rows).toMatchObject([{ job_id: first.rows[0]?.job_id, is_duplicate: true }])
    else expect(rows).toMatchObject([{ is_duplicate: false }])
    expect(await world.query('select count(*)::integer as n from interlock.jobs')).toEqual([{ n: 1 }])
  })

  test('who replaces a job that is just being claimed waits for the claim, and then leaves it alone', async () => {
    await enqueue({ unique_key: 'k' })
    await world.absorb()
    const [claimer, replacer] = [await sessions.open(), await sessions.open()]
    await claimer.query('begin')
    await claimer.query('select * from interlock.claim_jobs($1, null, 1)', [world.agent])
    const replacing = replacer
      .query('select * from interlock.enqueue_jobs($1)', [json([{ unique_key: 'k', on_duplicate: 'replace' }])])
      .catch((error: unknown) => error)
    await sessions.untilAwaited(claimer, 'the replacer to wait for the claim')
    await claimer.query('commit')
    expect(await replacing).toMatchObject({ code: 'IL006', column: 'unique_key' })
    expect(await world.query('select status from interlock.jobs')).toEqual([{ status: 'assigned' }])
  })

  test('twenty callers of ten keys at once, in batches of opposite order: ten jobs, and nobody is told of a deadlock', async () => {
    const keys = Array.from({ length: 10 }, (_, n) => ({ unique_key: `k${n}` }))
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, caller) => enqueue(...(caller % 2 === 0 ? keys : keys.toReversed()))),
    )
    expect(new Set(answers.flat().map(({ job_id }) => job_id)).size).toBe(10)
    expect(answers.flat().filter(({ is_duplicate }) => !is_duplicate)).toHaveLength(10)
  })

  test('another isolation level is refused where a key is asked for', async () => {
    const client = await sessions.open()
    await client.query('begin isolation level repeatable read')
    await expect(
      client.query('select * from interlock.enqueue_jobs($1)', [json([{ unique_key: 'k' }])]),
    ).rejects.toMatchObject({
      code: 'IL010',
    })
    await client.query('rollback')
  })
})

import { beforeEach, describe, expect, test } from 'vitest'
import { type Assigned, EngineWorld } from './engine-world.ts'

describe('stall_jobs', () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  const stall = async () => (await world.query<{ n: number }>('select interlock.stall_jobs() as n'))[0]?.n
  const orders = async (...jobs: readonly Assigned[]) => {
    const [row] = await world.query<{ stop: readonly Record<string, unknown>[] }>(
      'select stop from interlock.heartbeat_agent($1, $2, $3)',
      [world.agent, jobs.map((job) => job.job_id), jobs.map((job) => job.token)],
    )
    return row?.stop
  }

  async function start(job: Record<string, unknown>): Promise<Assigned> {
    await world.enqueue(job)
    const [claimed] = await world.claim()
    if (claimed === undefined) throw new Error('nothing was claimed')
    await world.start(claimed)
    return claimed
  }

  test('a silent job is stalled once its time is over, told to its agent, logged once, and its attempt fails', async () => {
    const job = await start({ id: 'a', user: 'alice', heartbeat_seconds: 300 })
    await world.test.advanceClock(299)
    expect(await stall()).toBe(0)
    expect(await orders(job)).toEqual([])
    await world.test.advanceClock(2)
    expect(await stall()).toBe(1)
    expect(await orders(job)).toEqual([
      { job_id: 'a', token: job.token, reason: 'stalled', detail: 'no sign of life for 300 s' },
    ])
    // Its process may still be at work: alice is not free yet.
    await world.enqueue({ id: 'b', user: 'alice' })
    expect(await world.claimedIds()).toEqual([])
    await world.test.advanceClock(31)
    expect(await stall()).toBe(0)
    expect(await world.fail(job)).toBe('scheduled')
    expect(await world.claimedIds()).toEqual(['b'])
    expect((await world.timeline('a')).filter((event) => event !== 'blocked')).toEqual([
      'enqueued',
      'assigned',
      'started',
      'stalled',
      'retried',
    ])
  })

  test.each<[string, (job: Assigned) => Promise<unknown>]>([
    ['progress', (job) => world.query('select interlock.report_progress($1, $2, 10)', [job.job_id, job.token])],
    [
      'a description',
      (job) => world.query(`select interlock.report_progress($1, $2, null, 'still here')`, [job.job_id, job.token]),
    ],
    [
      'output',
      (job) =>
        world.query('select * from interlock.append_output($1, $2, $3)', [
          job.job_id,
          job.token,
          JSON.stringify([{ stream: 'stderr', lines: '.' }]),
        ]),
    ],
    ['its heartbeat', (job) => world.query('select interlock.heartbeat_job($1, $2)', [job.job_id, job.token])],
  ])('%s is a sign of life', async (_, sign) => {
    const job = await start({ heartbeat_seconds: 60 })
    for (let minute = 0; minute < 5; minute += 1) {
      await world.test.advanceClock(59)
      await sign(job)
      expect(await stall()).toBe(0)
    }
    await world.test.advanceClock(61)
    expect(await stall()).toBe(1)
    // Too late: it is being stopped.
    await sign(job)
    expect(await orders(job)).toMatchObject([{ reason: 'stalled' }])
  })

  test('the queue’s heartbeat_seconds hold where a job has none, and 0 is none', async () => {
    await world.query(`select interlock.set_queue('default', '{"heartbeat_seconds": 120}')`)
    const watched = await start({ id: 'watched' })
    const silent = await start({ id: 'silent', heartbeat_seconds: 0 })
    await world.test.advanceClock(3000)
    expect(await stall()).toBe(1)
    expect(await orders(watched, silent)).toMatchObject([{ job_id: 'watched', reason: 'stalled' }])
  })

  test('a new attempt begins with a new time, and an old claim’s sign counts for nothing', async () => {
    const first = await start({ id: 'a', heartbeat_seconds: 60, retry_delays_seconds: [] })
    await world.test.advanceClock(61)
    await stall()
    await world.fail(first, 'now')
    const [second] = await world.claim()
    if (second === undefined) throw new Error('nothing was claimed')
    await world.start(second)
    expect(await orders(second)).toEqual([])
    await world.test.advanceClock(59)
    expect(await world.refusal('select interlock.heartbeat_job($1, $2)', [first.job_id, first.token])).toEqual({
      code: 'stale_token',
      field: 'token',
    })
    await world.test.advanceClock(2)
    expect(await stall()).toBe(1)
  })

  test('what has ended leaves no row behind; what was asked to stop anyway is not stalled as well', async () => {
    const done = await start({ id: 'done', heartbeat_seconds: 60 })
    const cancelled = await start({ id: 'cancelled', heartbeat_seconds: 60 })
    await world.complete(done)
    await world.query(`select * from interlock.cancel_job('cancelled')`)
    await world.test.advanceClock(61)
    expect(await stall()).toBe(0)
    expect(await world.query('select job_id, stalled_at from interlock.job_signs')).toEqual([
      { job_id: 'cancelled', stalled_at: null },
    ])
    expect(await orders(cancelled)).toMatchObject([{ reason: 'cancelled' }])
  })

  test('a job that need not give any has no row, and its heartbeat changes nothing', async () => {
    const job = await start({})
    await world.query('select interlock.heartbeat_job($1, $2)', [job.job_id, job.token])
    expect(await world.query('select * from interlock.job_signs')).toEqual([])
    expect(await world.refusal(`select interlock.heartbeat_job('nobody', 1)`)).toEqual({
      code: 'job_not_found',
      field: 'job_id',
    })
  })

  test.each([-1, 86_401, 1.5, '60', null])('refuses heartbeat_seconds %j', async (seconds) => {
    expect(
      await world.refusal('select * from interlock.enqueue_jobs($1)', [
        JSON.stringify([{ task: 'work', heartbeat_seconds: seconds }]),
      ]),
    ).toEqual({ code: 'invalid_argument', field: 'heartbeat_seconds' })
  })
})

describe('report_progress', () => {
  test.each<[number | string | null, number]>([
    [-5, 0],
    [45.5, 45.5],
    [250, 100],
    ['NaN', 100],
    ['Infinity', 100],
    [null, 30],
  ])('clamps %s to %s', async (percent, kept) => {
    const world = await EngineWorld.create()
    await world.enqueue({})
    const [job] = await world.claim()
    const report = (value: unknown) =>
      world.query('select interlock.report_progress($1, $2, $3, $4)', [
        job?.job_id,
        job?.token,
        value,
        'x'.repeat(2000),
      ])
    await report(30)
    await report(percent)
    expect(await world.query('select progress, length(progress_description) as length from interlock.jobs')).toEqual([
      { progress: kept, length: 1024 },
    ])
  })
})

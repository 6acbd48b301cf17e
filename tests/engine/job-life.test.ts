import { beforeEach, describe, expect, test } from 'vitest'
import { type Assigned, EngineWorld } from './engine-world.ts'

describe("a job's life", () => {
  let world: EngineWorld
  beforeEach(async () => {
    world = await EngineWorld.create()
  })

  async function claimed(job: Record<string, unknown> = {}): Promise<Assigned> {
    await world.enqueue({ id: 'job', user: 'alice', ...job })
    const [assigned] = await world.claim()
    if (assigned === undefined) throw new Error('nothing was claimed')
    return assigned
  }

  test('complete_jobs moves it to the history with its result, and every step is in the log', async () => {
    const job = await claimed({ payload: { x: 1 } })
    await world.start(job)
    await world.query('select * from interlock.complete_jobs($1, $2, array[$3::jsonb])', [
      ['job'],
      [job.token],
      { ok: true },
    ])
    expect(await world.status('job')).toBe('completed')
    expect(await world.query(`select payload, result from interlock.job_results where job_id = 'job'`)).toEqual([
      { payload: { x: 1 }, result: { ok: true } },
    ])
    expect(await world.timeline('job')).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  })

  test('refuses every write of a holder whose token is not the one any more, and changes nothing by it', async () => {
    const old = await claimed()
    await world.query('select * from interlock.return_jobs($1, $2, $3)', [['job'], [old.token], 'drained'])
    const [now] = await world.claim()
    await world.start(now as Assigned)
    const before = await world.query(`select * from interlock.jobs where id = 'job'`)
    for (const write of [
      `select interlock.report_progress('job', $1, 50)`,
      `select interlock.append_output('job', $1, '[]')`,
      `select interlock.fail_job('job', $1, '{}')`,
      `select interlock.confirm_cancel('job', $1)`,
    ])
      expect(await world.refusal(write, [old.token]), write).toMatchObject({ code: 'stale_token' })
    for (const verb of ['complete_jobs($1, $2)', `return_jobs($1, $2, 'late')`, 'start_jobs($1, $2)'])
      expect(await world.query(`select accepted, reason from interlock.${verb}`, [['job'], [old.token]])).toEqual([
        { accepted: false, reason: 'stale_token' },
      ])
    expect(await world.query(`select * from interlock.jobs where id = 'job'`)).toEqual(before)
  })

  test('names a job that never was, and accepts the others of a batch', async () => {
    const job = await claimed()
    expect(
      await world.query('select job_id, accepted, reason from interlock.complete_jobs($1, $2)', [
        ['nobody', 'job', 'job'],
        [1, job.token, job.token],
      ]),
    ).toEqual([
      { job_id: 'nobody', accepted: false, reason: 'job_not_found' },
      { job_id: 'job', accepted: true, reason: null },
      { job_id: 'job', accepted: false, reason: 'stale_token' },
    ])
    expect(await world.refusal(`select interlock.fail_job('nobody', 1, '{}')`)).toMatchObject({ code: 'job_not_found' })
  })

  test('fail_job tries again after the waits of the job, then fails for good, and its user is free meanwhile', async () => {
    let job = await claimed({ max_attempts: 3, retry_delays_seconds: [10, 20] })
    await world.enqueue({ id: 'next', user: 'alice', priority: 'low' })
    expect(await world.fail(job)).toBe('scheduled')
    const [next] = await world.claim()
    expect(next?.job_id).toBe('next')
    await world.complete(next as Assigned)
    for (const wait of [10, 20]) {
      await world.test.advanceClock(wait - 1)
      expect(await world.query('select interlock.promote_due_jobs() as due')).toEqual([{ due: 0 }])
      await world.test.advanceClock(2)
      expect(await world.query('select interlock.promote_due_jobs() as due')).toEqual([{ due: 1 }])
      job = (await world.claim())[0] as Assigned
      if (wait === 10) expect(await world.fail(job)).toBe('scheduled')
    }
    expect(job.attempt).toBe(3)
    expect(await world.fail(job)).toBe('failed')
    expect(await world.query(`select status, attempt, error from interlock.jobs where id = 'job'`)).toEqual([
      { status: 'failed', attempt: 3, error: { message: 'boom' } },
    ])
    expect(await world.query(`select outcome from interlock.task_history where job_id = 'job'`)).toEqual([
      { outcome: 'failed' },
    ])
  })

  test('fail_job never and now: for good at once, and at once again', async () => {
    expect(await world.fail(await claimed(), 'now')).toBe('pending')
    const [again] = await world.claim()
    expect(await world.fail(again as Assigned, 'never')).toBe('failed')
  })

  test('requeue_job gives a dead letter a new life', async () => {
    await world.fail(await claimed(), 'never')
    await world.query(`select * from interlock.requeue_job('job', 'try again', 'carol')`)
    const [again] = await world.claim()
    expect(again).toMatchObject({ job_id: 'job', attempt: 1 })
    expect(await world.timeline('job')).toEqual(['enqueued', 'assigned', 'failed', 'requeued', 'assigned'])
  })

  test('a returned job keeps its seniority and its attempts', async () => {
    const job = await claimed()
    await world.enqueue({ id: 'younger', user: 'alice' })
    await world.query('select * from interlock.return_jobs($1, $2, $3)', [['job'], [job.token], 'drained'])
    const [again] = await world.claim()
    expect(again).toMatchObject({ job_id: 'job', attempt: 1 })
  })

  test('cancel_job ends what waits at once, and only asks what runs: its user stays taken until it is confirmed', async () => {
    const job = await claimed()
    await world.enqueue({ id: 'waits', user: 'alice' }, { id: 'next', user: 'alice' })
    expect(await world.query(`select * from interlock.cancel_job('waits')`)).toEqual([{ status: 'cancelled' }])
    expect(await world.query(`select * from interlock.cancel_job('job', 'enough')`)).toEqual([{ status: 'cancelling' }])
    expect(await world.claimedIds()).toEqual([])
    const [beat] = await world.query<{ stop: unknown }>('select stop from interlock.heartbeat_agent($1, $2, $3)', [
      world.agent,
      ['job'],
      [job.token],
    ])
    expect(beat?.stop).toMatchObject([{ job_id: 'job', reason: 'cancelled', detail: 'enough' }])
    await world.query(`select interlock.confirm_cancel('job', $1)`, [job.token])
    expect([await world.status('job'), await world.status('waits')]).toEqual(['cancelled', 'cancelled'])
    expect(await world.claimedIds()).toEqual(['next'])
  })

  test('a job that was asked to stop does not start, is not retried and does not wait again', async () => {
    const job = await claimed()
    await world.query(`select * from interlock.cancel_job('job')`)
    expect(
      await world.query('select accepted, reason from interlock.start_jobs($1, $2)', [['job'], [job.token]]),
    ).toEqual([{ accepted: false, reason: 'cancel_requested' }])
    expect(await world.fail(job)).toBe('cancelled')
    expect(await world.status('job')).toBe('cancelled')
  })

  test('confirm_cancel refuses where nobody asked', async () => {
    const job = await claimed()
    expect(await world.refusal(`select interlock.confirm_cancel('job', $1)`, [job.token])).toMatchObject({
      code: 'illegal_transition',
    })
    expect(await world.status('job')).toBe('assigned')
  })

  test('delete_job takes what waits, and refuses what runs', async () => {
    await claimed()
    await world.enqueue({ id: 'waits' })
    expect(await world.query(`select * from interlock.delete_job('waits')`)).toEqual([{ status: 'deleted' }])
    expect(await world.refusal(`select * from interlock.delete_job('job')`)).toMatchObject({
      code: 'illegal_transition',
    })
    expect(await world.refusal(`select * from interlock.delete_job('waits')`)).toMatchObject({
      code: 'illegal_transition',
    })
    expect(await world.refusal(`select * from interlock.delete_job('never')`)).toMatchObject({ code: 'job_not_found' })
  })

  test('starts later what has a time, and never what was added without start', async () => {
    await world.enqueue({ id: 'later', delay_seconds: 60 }, { id: 'paused', start: false })
    expect(await world.claimedIds()).toEqual([])
    await world.test.advanceClock(61)
    await world.query('select interlock.promote_due_jobs()')
    expect(await world.claimedIds()).toEqual(['later'])
    await world.query(`select * from interlock.start_paused_job('paused')`)
    expect(await world.claimedIds()).toEqual(['paused'])
  })

  test('expires what did not start in its time to live, and not what has been started once', async () => {
    const job = await claimed({ ttl_seconds: 10 })
    await world.enqueue({ id: 'waits', user: 'alice', ttl_seconds: 10 })
    await world.fail(job)
    await world.test.advanceClock(11)
    expect(await world.query('select interlock.expire_jobs() as n')).toEqual([{ n: 1 }])
    expect([await world.status('waits'), await world.status('job')]).toEqual(['expired', 'scheduled'])
  })

  test('set_priority moves a waiting job by the difference', async () => {
    await world.enqueue({ id: 'first' }, { id: 'second' })
    await world.query(`select interlock.set_priority('second', 0)`)
    expect(await world.claimedIds(1)).toEqual(['second'])
  })

  test('keeps progress in bounds, and output up to its limit with a mark', async () => {
    const job = await claimed()
    await world.query(`select interlock.report_progress('job', $1, 250, 'nearly')`, [job.token])
    expect(await world.query(`select progress, progress_description from interlock.jobs`)).toEqual([
      { progress: 100, progress_description: 'nearly' },
    ])
    const chunk = JSON.stringify([{ stream: 'stdout', lines: 'x'.repeat(1_000_000) }])
    for (let n = 0; n < 12; n++)
      await world.query(`select * from interlock.append_output('job', $1, $2)`, [job.token, chunk])
    const rows = await world.query<{ stream: string; chunks: number; bytes: number }>(
      `select stream, count(*) as chunks, sum(octet_length(lines)) as bytes from interlock.job_output group by 1 order by 1`,
    )
    expect(rows).toMatchObject([
      { stream: 'stdout', chunks: 10 },
      { stream: 'system', chunks: 1 },
    ])
  })

  test('no statement can move a job along an arrow that does not exist, or change the log', async () => {
    await world.enqueue({ id: 'job' })
    await expect(
      world.query(
        `update interlock.jobs set status = 'running', held = '{}', held_slots = '{}', agent_id = 'x', token = 1, assigned_at = now()`,
      ),
    ).rejects.toMatchObject({ code: 'illegal_transition' })
    await expect(world.query('delete from interlock.job_queue_log')).rejects.toMatchObject({ code: 'not_permitted' })
    await expect(world.query(`update interlock.job_queue_log set event_type = 'x'`)).rejects.toMatchObject({
      code: 'not_permitted',
    })
  })
})

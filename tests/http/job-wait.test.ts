import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor, type Reply } from './http-door.ts'
import { TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
  agent = await TestAgent.register(db, { slots: 50 })
})
afterAll(() => door.server.stop())

interface Waiter {
  readonly reply: Promise<Reply>
  readonly answeredAtMs: () => number | null
}

function wait(id: string, timeoutSeconds = 20): Waiter {
  let answeredAtMs: number | null = null
  const reply = door.get(`/jobs/${id}/wait?timeout_seconds=${timeoutSeconds}`).then((answer) => {
    answeredAtMs = performance.now()
    return answer
  })
  return { reply, answeredAtMs: () => answeredAtMs }
}

describe('GET /jobs/:id/wait', () => {
  test('answers within 100 ms of the end, with the result', async () => {
    const latencies: number[] = []
    for (let n = 0; n < 5; n += 1) {
      await door.post('/jobs', { task: 't', id: `w-${n}` })
      const job = await agent.claimOne()
      const waiter = wait(job.job_id)
      // It waits for sure once it has been looked at.
      await door.get(`/jobs/${job.job_id}`)
      await agent.complete(job, { n })
      const endedAtMs = performance.now()
      expect((await waiter.reply).json).toMatchObject({ status: 'completed', result: { n } })
      latencies.push((waiter.answeredAtMs() ?? 0) - endedAtMs)
    }
    const median = latencies.sort((a, b) => a - b)[2] ?? 0
    expect(median).toBeLessThan(100)
  })

  test('answers when a job fails for good, is cancelled or is deleted, and not when it is tried again', async () => {
    await door.post('/jobs', { task: 't', id: 'w-failed', max_attempts: 2, retry_delays_seconds: [] })
    const waiter = wait('w-failed')
    await agent.fail(await agent.claimOne(), 'once', 'auto')
    expect((await door.get('/jobs/w-failed')).json.status).toBe('pending')
    expect(waiter.answeredAtMs()).toBeNull()
    await agent.fail(await agent.claimOne(), 'twice', 'auto')
    expect((await waiter.reply).json).toMatchObject({ status: 'failed', error: { message: 'twice' } })

    await door.post('/jobs', { task: 't', id: 'w-cancelled', start: false })
    const cancelled = wait('w-cancelled')
    await door.post('/jobs/w-cancelled/cancel')
    expect((await cancelled.reply).json.status).toBe('cancelled')

    await door.post('/jobs', { task: 't', id: 'w-deleted', start: false })
    const deleted = wait('w-deleted')
    await door.send('DELETE', '/jobs/w-deleted')
    expect((await deleted.reply).json.status).toBe('deleted')
  })

  test('answers at once when the job has ended already, and at the timeout with its present state', async () => {
    await door.post('/jobs', { task: 't', id: 'w-slow' })
    const job = await agent.claimOne()
    const startedMs = performance.now()
    expect((await wait('w-slow', 0.2).reply).json.status).toBe('running')
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(190)
    expect((await wait('w-slow', 0).reply).json.status).toBe('running')
    await agent.complete(job)
    expect((await wait('w-slow').reply).json.status).toBe('completed')
  })

  test('of sixty waiters takes no connection for each, and answers all of them', async () => {
    await door.post('/jobs', { task: 't', id: 'w-crowd' })
    const job = await agent.claimOne()
    const waiters = Array.from({ length: 60 }, () => wait('w-crowd'))
    await waitFor(async () => (await sessions()) <= 11, {
      what: 'no more sessions than the pool and the listener have',
    })
    await agent.complete(job)
    const replies = await Promise.all(waiters.map(({ reply }) => reply))
    expect(replies.every(({ json }) => json.status === 'completed')).toBe(true)
    expect(await sessions()).toBeLessThanOrEqual(11)
  })

  test('hears a notification at once, with the slow look switched off', async () => {
    const own = await createTestDatabase()
    const slow = await openHttpDoor(own, { pollSeconds: 600 })
    const ownAgent = await TestAgent.register(own)
    await waitFor(async () => (await slow.get('/readyz')).status === 200, { what: 'the server to listen' })
    await slow.post('/jobs', { task: 't', id: 'heard' })
    const job = await ownAgent.claimOne()
    const reply = slow.get('/jobs/heard/wait?timeout_seconds=20')
    await slow.get('/jobs/heard')
    await ownAgent.complete(job)
    await own.query(`select pg_notify('interlock_job', 'heard')`)
    expect((await reply).json.status).toBe('completed')
    await slow.server.stop()
    await own.drop()
  })

  test('goes on waiting while the connection that listens is killed', async () => {
    await door.post('/jobs', { task: 't', id: 'w-cut' })
    const job = await agent.claimOne()
    const waiter = wait('w-cut')
    await db.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and query ilike 'listen %'`,
      [db.name],
    )
    await agent.complete(job)
    expect((await waiter.reply).json.status).toBe('completed')
    await waitFor(async () => (await door.get('/readyz')).status === 200, { what: 'the server to listen again' })
  })

  test('refuses a wait that is too long, or no number, or for no job', async () => {
    expect((await door.get('/jobs/w-crowd/wait?timeout_seconds=601')).json).toMatchObject({
      status: 422,
      field: 'timeout_seconds',
    })
    expect((await door.get('/jobs/w-crowd/wait?timeout_seconds=-1')).json).toMatchObject({
      status: 422,
      field: 'timeout_seconds',
    })
    expect((await door.get('/jobs/nobody/wait')).json).toMatchObject({ status: 404, code: 'job_not_found' })
  })
})

async function sessions(): Promise<number> {
  const [row] = await db.query<{ sessions: number }>(
    'select count(*) as sessions from pg_stat_activity where datname = $1',
    [db.name],
  )
  return row?.sessions ?? 0
}

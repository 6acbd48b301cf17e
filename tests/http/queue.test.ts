import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'
import { TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor

beforeEach(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
})
afterEach(async () => {
  await door.server.stop()
  await db.drop()
})

const emptyStatus = {
  active_job: { job_id: null, job_type: null, models: [] },
  queued_jobs: [],
  queue_length: 0,
  active_jobs: [],
  pending: { critical: 0, high: 0, normal: 0, low: 0, total: 0 },
  active: { slots_used: 0, slots_max: 0, by_user: {} },
  user_locks: { active: 0, details: [] },
  counts: [],
  counts_by_status: {},
  oldest_queued_at: null,
  oldest_wait_seconds: null,
  backpressure: { is_detected: false, level: 'low', reasons: [] },
  is_estimated: false,
  is_cut: { active_jobs: false, queued_jobs: false, by_user: false, user_locks: false },
}

describe('GET /queue/status', () => {
  test('of an empty queue has every field', async () => {
    const { status, json } = await door.get('/queue/status')
    expect(status).toBe(200)
    expect(json).toMatchObject(emptyStatus)
  })

  test('says what runs, what waits for whom and why, and who holds which user', async () => {
    const agent = await TestAgent.register(db, { slots: 4 })
    await door.post('/jobs', { task: 'video', kind: 'workflow', user: 'alice', models: ['flux', 'motion'], id: 'w1' })
    await agent.claimOne()
    await door.post('/jobs', { task: 'edit', user: 'bob', id: 'b1', priority: 'high' })
    await agent.claimOne()
    await door.post('/jobs', { prompt: 'x', job_type: 'image', model: 'flux', user: 'carol', id: 'c1' })
    await door.post('/jobs', { task: 'edit', user: 'bob', id: 'b2', priority: 'critical' })
    await agent.claim()
    await door.post('/jobs', { task: 'edit', user: 'dave', id: 'd1', priority: 'low' })
    await door.post('/jobs', { task: 'edit', id: 'later', delay_seconds: 100 })
    const { json } = await door.get('/queue/status')

    expect(json.active_job).toEqual({ job_id: 'w1', job_type: 'workflow', models: ['flux', 'motion'] })
    expect(json.active_jobs.map((job: { job_id: string }) => job.job_id)).toEqual(['w1', 'b1'])
    expect(json.active_jobs[0]).toMatchObject({
      status: 'running',
      user: 'alice',
      agent_id: agent.id,
      resources: ['user:alice', 'model:flux', 'model:motion'],
    })
    expect(json.queue_length).toBe(3)
    expect(json.queued_jobs).toHaveLength(3)
    const queued = Object.fromEntries(json.queued_jobs.map((job: { job_id: string }) => [job.job_id, job]))
    expect(queued.c1).toMatchObject({
      job_type: 'image',
      model: 'flux',
      models: ['flux'],
      user: 'carol',
      blocked_by_job_id: 'w1',
      conflict_reason: 'Model conflict: flux in use by workflow job w1',
    })
    expect(queued.b2).toMatchObject({
      blocked_by_job_id: 'b1',
      conflict_reason: 'User conflict: bob in use by normal job b1',
      priority: 'critical',
    })
    expect(queued.d1).toMatchObject({ model: null, models: [], blocked_by_job_id: null, conflict_reason: null })
    expect(Date.parse(queued.d1.queued_at)).not.toBeNaN()
    // The most senior first: the head start of critical is twenty minutes before normal, of low ten behind.
    expect(json.queued_jobs.map((job: { job_id: string }) => job.job_id)).toEqual(['b2', 'c1', 'd1'])
    expect(json.pending).toEqual({ critical: 1, high: 0, normal: 1, low: 1, total: 3 })
    expect(json.active).toEqual({ slots_used: 2, slots_max: 4, by_user: { alice: 1, bob: 1 } })
    expect(json.user_locks.active).toBe(2)
    const [lock] = json.user_locks.details
    expect(lock).toMatchObject({ user: 'alice', task_id: 'w1' })
    expect(Date.parse(lock.expires_at) - Date.parse(lock.acquired_at)).toBeGreaterThanOrEqual(3_600_000)
    expect(json.counts).toContainEqual({ queue: 'high', status: 'running', count: 1 })
    expect(json.counts_by_status).toEqual({ running: 2, pending: 3, scheduled: 1 })
    expect(json.oldest_wait_seconds).toBeGreaterThanOrEqual(0)
    expect(json.agents).toMatchObject({ total: 1, idle: 0, busy: 1, suspended: 0, draining: 0, slots: 4, room: 2 })
  })

  test('shows what waits even when no agent was ever there to absorb it, and calls that pressure', async () => {
    await door.post('/jobs', { task: 't', user: 'alice', id: 'a1' })
    const { json } = await door.get('/queue/status')
    expect(json.queued_jobs.map((job: { job_id: string }) => job.job_id)).toEqual(['a1'])
    expect(json.backpressure).toMatchObject({ is_detected: true, level: 'critical' })
  })

  test('calls full agents before startable lines pressure, and the thousand jobs of a busy user none', async () => {
    const agent = await TestAgent.register(db, { slots: 1 })
    await door.post('/jobs/batch', { jobs: Array.from({ length: 1000 }, () => ({ task: 't', user: 'alice' })) })
    await agent.claimOne()
    const calm = (await door.get('/queue/status')).json
    expect(calm).toMatchObject({ queue_length: 999, backpressure: { is_detected: false, level: 'low', reasons: [] } })
    await door.post('/jobs/batch', { jobs: Array.from({ length: 20 }, (_, n) => ({ task: 't', user: `u${n}` })) })
    await db.query('select interlock.absorb_touches()')
    const pressed = (await door.get('/queue/status')).json
    expect(pressed.backpressure).toMatchObject({ is_detected: true, level: 'critical' })
    expect(pressed.backpressure.reasons).toEqual([expect.stringMatching(/all 1 slots are in use and 2\d lines/)])
  })

  test('cuts its lists at a hundred and says so', async () => {
    const agent = await TestAgent.register(db, { slots: 200 })
    await door.post('/jobs/batch', {
      jobs: Array.from({ length: 250 }, (_, n) => ({ task: 't', user: `u${String(n).padStart(3, '0')}` })),
    })
    const claimed = [...(await agent.claim(64)), ...(await agent.claim(64)), ...(await agent.claim(64))]
    expect(claimed.length).toBeGreaterThan(100)
    const { json } = await door.get('/queue/status')
    expect(json.active_jobs).toHaveLength(100)
    expect(Object.keys(json.active.by_user)).toHaveLength(100)
    expect(json.user_locks.details).toHaveLength(100)
    expect(json).toMatchObject({
      active: { slots_used: claimed.length },
      user_locks: { active: claimed.length },
      queue_length: 250 - claimed.length,
      list_limit: 100,
      is_cut: { active_jobs: true, by_user: true, user_locks: true, queued_jobs: 250 - claimed.length > 100 },
    })
  })

  test('has the same ETag while nothing changes, answers 304 to it, and another one after a change', async () => {
    await door.post('/jobs', { task: 't', id: 'one' })
    const first = await door.get('/queue/status')
    const etag = first.headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\//)
    const same = await door.get('/queue/status', { 'if-none-match': etag })
    expect(same.status).toBe(304)
    expect(same.text).toBe('')
    await door.post('/jobs', { task: 't', id: 'two' })
    const changed = await door.get('/queue/status', { 'if-none-match': etag })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(etag)
  })

  test('asks the database once a second at most, for any number of callers', async () => {
    const other = await openHttpDoor(db, { statusAgeSeconds: 3600 })
    const answers = await Promise.all(Array.from({ length: 30 }, () => other.get('/queue/status')))
    await door.post('/jobs', { task: 't' })
    answers.push(await other.get('/queue/status'))
    expect(new Set(answers.map(({ json }) => json.taken_at)).size).toBe(1)
    await other.server.stop()
  })

  test('refuses a parameter that it does not know', async () => {
    expect((await door.get('/queue/status?user=alice')).json).toMatchObject({ status: 422, field: 'user' })
  })
})

describe('GET /queue/health', () => {
  test('counts as the queue manager does, and is healthy', async () => {
    const agent = await TestAgent.register(db)
    await door.post('/jobs/batch', { jobs: Array.from({ length: 4 }, (_, n) => ({ task: 't', user: `u${n}` })) })
    const [first, second] = await agent.claim(2)
    if (first !== undefined) await agent.complete(first)
    if (second !== undefined) await agent.fail(second, 'boom')
    await agent.claim(1)
    const { status, json } = await door.get('/queue/health')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      status: 'healthy',
      running: true,
      total_jobs: 4,
      pending_jobs: 1,
      running_jobs: 1,
      completed_jobs: 1,
      failed_jobs: 1,
      reasons: [],
    })
  })

  test('is unhealthy, 503, when jobs wait and no agent lives', async () => {
    await door.post('/jobs', { task: 't' })
    const { status, json } = await door.get('/queue/health')
    expect(status).toBe(503)
    expect(json).toMatchObject({ status: 'unhealthy', reasons: [{ code: 'no_agents', severity: 'unhealthy' }] })
  })

  test('is degraded, with more than ten dead letters', async () => {
    const agent = await TestAgent.register(db, { slots: 20 })
    await door.post('/jobs/batch', { jobs: Array.from({ length: 11 }, (_, n) => ({ task: 't', user: `u${n}` })) })
    for (const job of await agent.claim(11)) await agent.fail(job, 'boom')
    const { status, json } = await door.get('/queue/health')
    expect(status).toBe(200)
    expect(json).toMatchObject({ status: 'degraded', failed_jobs: 11, reasons: [{ code: 'dead_letters' }] })
  })
})

describe('GET /agents', () => {
  test('lists every agent that lives, with its load and its lease', async () => {
    expect((await door.get('/agents')).json).toMatchObject({ agents: [], counts: { total: 0, idle: 0, busy: 0 } })
    const agent = await TestAgent.register(db, { name: 'north', slots: 3 })
    await TestAgent.register(db, { name: 'south' })
    await door.post('/jobs', { task: 't' })
    await agent.claimOne()
    const { json } = await door.get('/agents')
    expect(json.agents.map(({ id }: { id: string }) => id.split('.')[0])).toEqual(['north', 'south'])
    expect(json.agents[0]).toMatchObject({
      id: agent.id,
      state: 'active',
      slots: 3,
      active_jobs: 1,
      queues: ['high', 'default', 'low'],
    })
    expect(Date.parse(json.agents[0].lease_until)).toBeGreaterThan(Date.now())
  })
})

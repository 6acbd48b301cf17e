import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { type Coordinator, createCoordinator } from '../../src/worker/worker.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

// Agents in any language: everything below is said over HTTP, and nothing by SQL but to look.

let db: TestDatabase
let door: HttpDoor
let coordinator: Coordinator

beforeAll(async () => {
  db = await createTestDatabase()
  coordinator = createCoordinator({ database: db.database, logger: createSilentLogger(), tickIntervalMs: 100 })
  await coordinator.start()
  door = await openHttpDoor(db)
  // A queue of its own for each test keeps their jobs apart.
  for (const name of ['q1', 'q2', 'q3', 'q4', 'q5', 'q6', 'q7', 'q8', 'q9', 'q10']) {
    await db.query('select interlock.set_queue($1)', [name])
  }
})

afterAll(async () => {
  await door.server.stop()
  await coordinator.stop()
})

interface Held {
  readonly job_id: string
  readonly token: number
}

async function register(queue: string, body: Record<string, unknown> = {}): Promise<string> {
  const { status, json } = await door.post('/agents', { name: `of-${queue}`, queues: [queue], ...body })
  expect(status).toBe(201)
  return json.agent_id
}

async function claim(agent: string, waitSeconds: number, body: Record<string, unknown> = {}): Promise<readonly Held[]> {
  const { status, json } = await door.post(`/agents/${agent}/claim?wait_seconds=${waitSeconds}`, body)
  expect(status, JSON.stringify(json)).toBe(200)
  return json.jobs
}

const statusOf = async (id: string): Promise<string> => (await door.get(`/jobs/${id}`)).json.status
const listensUntil = (agent: string) =>
  waitFor(
    async () => {
      const [row] = await db.query<{ listens: boolean }>(
        `select listens_until > interlock.clock() as listens from interlock.agent_stats where id = $1`,
        [agent],
      )
      return row?.listens
    },
    { what: `${agent} to wait for work` },
  )

describe('a remote agent', () => {
  it('registered twice under one key is one agent, and none once that is over', async () => {
    const headers = { 'idempotency-key': 'registration-1' }
    const body = { name: 'keyed', queues: ['q1'], permission_levels: ['supervised'] }
    const first = await door.post('/agents', body, headers)
    const second = await door.post('/agents', body, headers)
    expect([first.status, second.status, second.json.agent_id]).toEqual([201, 201, first.json.agent_id])
    expect([first, second].map(({ headers: told }) => told.get('idempotency-replayed'))).toEqual([null, 'true'])
    expect((await door.post(`/agents/${first.json.agent_id}/heartbeat`, {})).status).toBe(200)

    const another = await door.post('/agents', { ...body, slots: 2 }, headers)
    expect(another.json).toMatchObject({ status: 409, code: 'idempotency_conflict', field: 'idempotency_key' })
    await door.post(`/agents/${first.json.agent_id}/end`, {})
    const late = await door.post('/agents', body, headers)
    expect(late.json).toMatchObject({ status: 409, code: 'agent_not_active', field: 'idempotency_key' })
    expect(await db.query(`select state from interlock.agent_stats where name = 'keyed'`)).toEqual([{ state: 'gone' }])
  })

  it('registers, is given what is enqueued while its claim waits, and tells of it to the end', async () => {
    const agent = await register('q1', { slots: 2, host: 'far-away', pid: 12 })
    const waiting = claim(agent, 20, { limit: 2 })
    await listensUntil(agent)
    const before = performance.now()
    await door.post('/jobs', { id: 'remote-1', task: 'draw', queue: 'q1', user: 'rita', payload: { width: 3 } })
    const [job] = await waiting
    expect(performance.now() - before).toBeLessThan(1500)
    expect(job).toMatchObject({
      job_id: 'remote-1',
      task: 'draw',
      user: 'rita',
      payload: { width: 3 },
      resources: ['user:rita'],
      fences: { 'user:rita': job?.token },
    })
    const token = job?.token
    expect((await door.post('/jobs/remote-1/started', { token })).json).toEqual({
      job_id: 'remote-1',
      status: 'running',
    })
    expect((await door.post('/jobs/remote-1/progress', { token, percent: 140, description: 'inking' })).status).toBe(
      200,
    )
    const chunks = [{ stream: 'stdout', lines: 'one\ntwo' }]
    expect((await door.post('/jobs/remote-1/output', { token, chunks })).json).toEqual({
      job_id: 'remote-1',
      is_cut: false,
    })
    expect((await door.get('/jobs/remote-1')).json).toMatchObject({ progress: 100, progress_description: 'inking' })
    const done = await door.post('/jobs/remote-1/complete', { token, result: { url: 'x.png' } })
    expect(done.json).toEqual({ job_id: 'remote-1', status: 'completed' })
    expect((await door.get('/jobs/remote-1')).json).toMatchObject({ status: 'completed', result: { url: 'x.png' } })
    expect((await door.get('/jobs/remote-1/output')).text).toContain('one\\ntwo')
  })

  it('is answered with nothing when its wait is over', async () => {
    const agent = await register('q2')
    const before = performance.now()
    expect(await claim(agent, 0.3)).toEqual([])
    expect(performance.now() - before).toBeGreaterThan(290)
  })

  it('is told again of what it was given and has not confirmed: an answer that was lost loses no job', async () => {
    const agent = await register('q3', { slots: 2 })
    await door.post('/jobs', { id: 'told-1', task: 't', queue: 'q3' })
    const lost = await claim(agent, 5)
    const again = await claim(agent, 5)
    expect(again).toEqual(lost)
    expect(await claim(agent, 0, { held: lost.map(({ job_id, token }) => ({ job_id, token })) })).toEqual([])
    await door.post('/jobs/told-1/complete', { token: again[0]?.token })
    expect(await statusOf('told-1')).toBe('completed')
  })

  it('whose claim was given up while it waited takes nothing with it', async () => {
    const agent = await register('q4')
    const leaving = new AbortController()
    const waiting = door.send('POST', `/agents/${agent}/claim?wait_seconds=60`, { signal: leaving.signal })
    await listensUntil(agent)
    leaving.abort()
    await expect(waiting).rejects.toThrow()
    const isDeaf = () =>
      db.query('select from interlock.agent_stats where id = $1 and listens_until <= interlock.clock()', [agent])
    await waitFor(async () => (await isDeaf()).length > 0, { what: 'the agent to be taken for gone' })
    await door.post('/jobs', { id: 'left-1', task: 't', queue: 'q4' })
    const other = await register('q4', { name: 'other-of-q4' })
    const [job] = await claim(other, 10)
    expect(job?.job_id).toBe('left-1')
    await door.post('/jobs/left-1/complete', { token: job?.token })
  })

  it('that leaves while its claim is being made gives back at once what it would have been told', async () => {
    const own = await createTestDatabase()
    const ownDoor = await openHttpDoor(own)
    const { json } = await ownDoor.post('/agents', { name: 'gone', queues: ['default'] })
    await ownDoor.post('/jobs', { id: 'half-1', task: 't' })
    const holder = await own.database.connect()
    await holder.query('begin')
    await holder.query(`select pg_advisory_xact_lock(interlock.lock_key('limits'))`)
    const leaving = new AbortController()
    const waiting = ownDoor.send('POST', `/agents/${json.agent_id}/claim?wait_seconds=60`, { signal: leaving.signal })
    const isClaiming = () =>
      own.query(
        `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory' and query ~ 'claim_jobs'`,
      )
    await waitFor(async () => (await isClaiming()).length > 0, { what: 'the claim to be under way' })
    leaving.abort()
    await expect(waiting).rejects.toThrow()
    // What the server reads next comes after the end of that connection.
    for (let n = 0; n < 3; n += 1) await ownDoor.get('/livez')
    await holder.query('commit')
    await holder.close()
    const events = () =>
      own.query<{ event: string }>(
        `select event_type as event from interlock.job_queue_log where job_id = 'half-1' order by id`,
      )
    await waitFor(async () => (await events()).length === 3, { what: 'the job to be given back', timeoutMs: 5000 })
    expect((await events()).map(({ event }) => event)).toEqual(['enqueued', 'assigned', 'returned'])
    await ownDoor.server.stop()
    await own.drop()
  })

  it('is given none while it does not ask', async () => {
    const quiet = await register('q5', { name: 'quiet' })
    await door.post('/jobs', { id: 'asked-1', task: 't', queue: 'q5' })
    await coordinator.dispatcher.dispatch('q5/autonomous')
    expect(await statusOf('asked-1')).toBe('pending')
    const [job] = await claim(quiet, 0)
    expect(job?.job_id).toBe('asked-1')
    await door.post('/jobs/asked-1/complete', { token: job?.token })
  })

  it('hears by its heartbeat what to stop, and what to give back when it is to start no more', async () => {
    const agent = await register('q6', { slots: 3 })
    await door.post('/jobs/batch', { jobs: ['a', 'b'].map((id) => ({ id: `stop-${id}`, task: 't', queue: 'q6' })) })
    const jobs = await claim(agent, 5, { limit: 3 })
    const [a, b] = ['stop-a', 'stop-b'].map((id) => jobs.find(({ job_id }) => job_id === id))
    await door.post('/jobs/stop-a/started', { token: a?.token })
    await door.post('/jobs/stop-a/cancel', { reason: 'wrong branch' })
    await door.post(`/agents/${agent}/drain`)
    const stale = { job_id: 'stop-b', token: 0 }
    const held = [a, b].map((job) => ({ job_id: job?.job_id, token: job?.token }))
    const { json } = await door.post(`/agents/${agent}/heartbeat`, { held: [...held, stale], cpu_percent: 50 })
    expect(json).toMatchObject({ state: 'draining', lease_seconds: 15, unknown_count: 0 })
    expect(json.stop).toEqual([
      { ...held[0], reason: 'cancelled', detail: 'wrong branch' },
      { ...stale, reason: 'stale_token', detail: null },
    ])
    expect(json.give_back).toEqual([held[1]])
    expect((await door.post('/jobs/stop-a/return', { token: a?.token })).json.status).toBe('cancelled')
    expect((await door.post('/jobs/stop-b/return', { token: b?.token })).json.status).toBe('pending')
    expect(await claim(agent, 0)).toEqual([])
  })

  it('that says good-bye gives back what it holds, and is not known any more', async () => {
    const agent = await register('q7')
    await door.post('/jobs', { id: 'bye-1', task: 't', queue: 'q7' })
    await claim(agent, 5)
    expect((await door.send('DELETE', `/agents/${agent}`)).json).toEqual({ agent_id: agent, jobs_returned: 1 })
    expect(await statusOf('bye-1')).toBe('pending')
    const beat = await door.post(`/agents/${agent}/heartbeat`, {})
    expect([beat.status, beat.json.code]).toEqual([409, 'agent_not_active'])
    expect((await door.post(`/agents/${agent}/claim?wait_seconds=5`)).status).toBe(409)
  })

  it('is refused with stale_token in each of its calls once the job is another’s', async () => {
    const agent = await register('q8')
    await door.post('/jobs', { id: 'stale-1', task: 't', queue: 'q8' })
    const [old] = await claim(agent, 5)
    await door.post('/jobs/stale-1/return', { token: old?.token })
    const [now] = await claim(agent, 5)
    const chunks = [{ stream: 'stdout', lines: 'late' }]
    const bodies = {
      started: {},
      progress: { percent: 1 },
      output: { chunks },
      complete: { result: 1 },
      fail: { error: { message: 'late' } },
      return: {},
    }
    for (const [verb, body] of Object.entries(bodies)) {
      const { status, json } = await door.post(`/jobs/stale-1/${verb}`, { token: old?.token, ...body })
      expect([verb, status, json.code, json.field]).toEqual([verb, 409, 'stale_token', 'token'])
      expect((await door.post(`/jobs/nobody/${verb}`, { token: 1, ...body })).json.code).toBe('job_not_found')
    }
    expect((await door.post('/jobs/stale-1/fail', { token: now?.token, error: { message: 'no' } })).json).toEqual({
      job_id: 'stale-1',
      status: 'scheduled',
    })
    await door.send('DELETE', '/jobs/stale-1')
  })

  it.each([
    ['/agents', {}, 'name'],
    ['/agents', { name: 'x', queues: ['nowhere'] }, 'queues'],
    ['/agents', { name: 'locks', queues: ['q9'] }, 'name'],
    ['/agents', { name: 'x', queues: ['q9'], slots: 0 }, 'slots'],
    ['/agents', { name: 'x', queues: ['q9'], colour: 'red' }, 'colour'],
    ['/agents/x.1/heartbeat', { cpu_percent: 101 }, 'cpu_percent'],
    ['/agents/x.1/heartbeat', { held: [{ job_id: 'a' }] }, 'held[0].token'],
    ['/agents/x.1/claim', { limit: 0 }, 'limit'],
    ['/agents/x.1/claim?wait_seconds=9999', {}, 'wait_seconds'],
    ['/jobs/a/complete', { result: 1 }, 'token'],
    ['/jobs/a/output', { token: 1, chunks: [{ stream: 'stdin', lines: '' }] }, 'chunks[0].stream'],
    ['/jobs/a/fail', { token: 1 }, 'error'],
    ['/jobs/a/progress', { token: 1, percent: 'half' }, 'percent'],
  ])('POST %s %j is refused, naming %s', async (path, body, field) => {
    const { status, json } = await door.post(path, body)
    expect([status, json.field]).toEqual([422, field])
  })
})

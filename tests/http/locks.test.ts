import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { countRows, type HttpDoor, openHttpDoor } from './http-door.ts'
import { type Claimed, TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
  agent = await TestAgent.register(db, { slots: 20 })
})
afterAll(() => door.server.stop())

async function run(user: string): Promise<Claimed> {
  expect((await door.post('/jobs', { task: 't', id: `job-of-${user}`, user })).status).toBe(201)
  return agent.claimOne()
}

async function hold(resource: string, fields: Record<string, unknown> = {}) {
  const reply = await door.post('/locks', { resource, owner: 'ann', ...fields })
  expect(reply.status, reply.text).toBe(201)
  return reply.json as { lock_id: string; token: number; fences: Record<string, number>; lease_until: string }
}

const statusOf = async (id: string): Promise<string> => (await door.get(`/jobs/${id}`)).json.status

/** The lock that waits for a resource, once there is one. */
async function waitingFor(resource: string): Promise<string> {
  let id = ''
  await waitFor(
    async () => {
      const [row] = await db.query<{ id: string }>(
        `select j.id from interlock.jobs as j where j.queue = 'locks' and j.status = 'pending' and $1 = any (j.resources)`,
        [resource],
      )
      id = row?.id ?? ''
      return id !== ''
    },
    { what: `a lock to wait for ${resource}` },
  )
  return id
}

describe('POST /locks', () => {
  test('acquires what is free: token, fences, and until when', async () => {
    const lock = await hold('user:free', { lease_seconds: 120 })
    expect(lock.fences).toEqual({ 'user:free': lock.token })
    const leftSeconds = (Date.parse(lock.lease_until) - Date.now()) / 1000
    expect(leftSeconds).toBeGreaterThan(100)
    expect(leftSeconds).toBeLessThanOrEqual(121)
    await door.send('DELETE', `/locks/${lock.lock_id}?token=${lock.token}`)
  })

  test('says at once, without a wait, who holds it, and is not in line any more', async () => {
    const job = await run('busy')
    const reply = await door.post('/locks', { resources: ['user:busy'], owner: 'ann' })
    expect(reply.json).toMatchObject({ status: 409, code: 'not_held' })
    expect(reply.json.detail).toContain('waits for user:busy, held by job job-of-busy of busy')
    expect(await db.query(`select id from interlock.jobs where queue = 'locks'`)).toEqual([])
    await agent.complete(job)
  })

  test('waits for the job that holds it, and has it when that ends', async () => {
    const job = await run('soon')
    const reply = door.post('/locks', { resource: 'user:soon', owner: 'ann', wait_seconds: 30 })
    await waitingFor('user:soon')
    await agent.complete(job)
    expect((await reply).status).toBe(201)
    await door.send('DELETE', '/locks/user%3Asoon')
  })

  test('under a key keeps the place of a caller that was cut off, until it asks again', async () => {
    const job = await run('cut')
    const headers = { 'idempotency-key': 'of-one-cut-off' }
    const body = { resource: 'user:cut', owner: 'ann', wait_seconds: 60 }
    const caller = new AbortController()
    const reply = door
      .send('POST', '/locks', {
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        signal: caller.signal,
      })
      .catch(() => 'gone')
    const id = await waitingFor('user:cut')
    caller.abort()
    expect(await reply).toBe('gone')
    await waitFor(() => door.logged.some(({ event, path }) => event === 'http.gone' && path === '/locks'), {
      what: 'the server to have noticed',
    })
    const again = door.post('/locks', body, headers)
    await agent.complete(job)
    const { status, json, headers: told } = await again
    expect([status, json.lock_id, told.get('idempotency-replayed')]).toEqual([201, id, 'true'])
    await door.send('DELETE', `/locks/${id}?token=${json.token}`)

    const ended = await door.post('/locks', body, headers)
    expect(ended.json).toMatchObject({ status: 409, code: 'not_held' })
    expect(ended.json.detail).toBe('the lock on user:cut that this Idempotency-Key stands for has ended: completed')
    const another = await door.post('/locks', { ...body, owner: 'bob' }, headers)
    expect(another.json).toMatchObject({ status: 409, code: 'idempotency_conflict', field: 'idempotency_key' })
  })

  test('leaves the line when the caller goes away', async () => {
    const job = await run('left')
    const caller = new AbortController()
    const reply = door
      .send('POST', '/locks', {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ resource: 'user:left', owner: 'ann', wait_seconds: 60 }),
        signal: caller.signal,
      })
      .catch(() => 'gone')
    const id = await waitingFor('user:left')
    caller.abort()
    expect(await reply).toBe('gone')
    await waitFor(async () => (await statusOf(id)) === 'cancelled', { what: 'the lock to be withdrawn' })
    await agent.complete(job)
  })

  test('stays in line where it is asked to, and GET /locks/:id/wait goes on waiting', async () => {
    const job = await run('long')
    const first = await door.post('/locks', { resource: 'user:long', owner: 'ann', stays_in_line: true })
    expect(first.status).toBe(202)
    expect(first.json).toMatchObject({ state: 'waiting', token: null })
    const path = `/locks/${first.json.lock_id}/wait`
    expect((await door.get(`${path}?owner=ann&timeout_seconds=0`)).json).toMatchObject({ state: 'waiting' })
    expect((await door.get(`${path}?owner=bob&timeout_seconds=0`)).json).toMatchObject({ code: 'not_held' })
    const later = door.get(`${path}?owner=ann&timeout_seconds=30`)
    await agent.complete(job)
    const { json: lock } = await later
    expect(lock).toMatchObject({ state: 'held', fences: { 'user:long': lock.token } })
    await door.send('DELETE', `/locks/${lock.lock_id}?token=${lock.token}`)
    expect((await door.get(`${path}?owner=ann&timeout_seconds=0`)).json).toMatchObject({
      state: 'ended',
      reason: 'completed',
    })
  })

  test.each([
    ['resources', { owner: 'ann' }],
    ['resource', { owner: 'ann', resource: 'alice' }],
    ['resources[1]', { owner: 'ann', resources: ['user:a', 'user:*'] }],
    ['owner', { resource: 'user:a' }],
    ['owner', { resource: 'user:a', owner: 'a\u0000b' }],
    ['lease_seconds', { resource: 'user:a', owner: 'ann', lease_seconds: 0 }],
    ['wait_seconds', { resource: 'user:a', owner: 'ann', wait_seconds: 241 }],
    ['priority', { resource: 'user:a', owner: 'ann', priority: 'urgent' }],
    ['stays_in_line', { resource: 'user:a', owner: 'ann', stays_in_line: 1 }],
    ['ownr', { resource: 'user:a', ownr: 'ann', owner: 'ann' }],
  ])('names the field %s that is wrong, and writes nothing (%#)', async (field, body) => {
    const before = await countRows(db)
    expect((await door.post('/locks', body)).json).toMatchObject({ status: 422, code: 'invalid_argument', field })
    expect(await countRows(db)).toEqual(before)
  })
})

describe('POST /locks/:id/extend', () => {
  test('moves the lease on, and refuses a token that is not the one', async () => {
    const lock = await hold('user:extended', { lease_seconds: 10 })
    const path = `/locks/${lock.lock_id}/extend`
    const extended = await door.post(path, { token: lock.token, lease_seconds: 600 })
    expect(extended.status).toBe(200)
    expect(Date.parse(extended.json.lease_until) - Date.parse(lock.lease_until)).toBeGreaterThan(500_000)
    expect((await door.post(path, { token: lock.token - 1 })).json).toMatchObject({ status: 409, code: 'stale_token' })
    expect((await door.post(path, {})).json).toMatchObject({ status: 422, field: 'token' })
    expect((await door.post('/locks/nothing/extend', { token: 1 })).json).toMatchObject({ status: 404 })
    await door.send('DELETE', `/locks/${lock.lock_id}`)
    expect((await door.post(path, { token: lock.token })).json).toMatchObject({ code: 'stale_token' })
  })
})

describe('DELETE /locks/:key', () => {
  test('releases a lock for its holder, and refuses a token that is not the one', async () => {
    const lock = await hold('user:mine')
    expect((await door.send('DELETE', `/locks/${lock.lock_id}?token=${lock.token - 1}`)).json).toMatchObject({
      status: 409,
      code: 'stale_token',
    })
    const reply = await door.send('DELETE', `/locks/${lock.lock_id}?token=${lock.token}&reason=done`)
    expect(reply).toMatchObject({
      status: 200,
      json: { released: [{ job_id: lock.lock_id, kind: 'lock', status: 'released' }] },
    })
    expect(await statusOf(lock.lock_id)).toBe('completed')
  })

  test('of a resource asks the job that holds it to stop, and answers 202 as long as it runs', async () => {
    const job = await run('stuck')
    const reply = await door.send('DELETE', '/locks/user%3Astuck?job_id=job-of-stuck&reason=it%20hangs&actor=eve')
    expect(reply).toMatchObject({
      status: 202,
      json: { released: [{ job_id: 'job-of-stuck', kind: 'job', status: 'cancelling' }] },
    })
    expect((await door.get('/locks?resource=user:stuck')).json.locks).toHaveLength(1)
    await db.query('select interlock.confirm_cancel($1, $2)', [job.job_id, job.token])
    expect((await door.get('/jobs/job-of-stuck')).json).toMatchObject({ status: 'cancelled', reason: 'it hangs' })
    expect((await door.get('/locks?resource=user:stuck')).json.locks).toEqual([])
  })

  test('refuses what is not held, and what does not go together', async () => {
    for (const [path, status, field] of [
      ['/locks/user%3Anobody', 409, 'resource'],
      ['/locks/user%3Anobody?token=3', 422, 'token'],
      ['/locks/a1?job_id=b2', 422, 'job_id'],
      ['/locks/nothing', 404, 'lock_id'],
      ['/locks/nothing?tokn=1', 422, 'tokn'],
    ] as const)
      expect((await door.send('DELETE', path)).json, path).toMatchObject({ status, field })
  })
})

test('GET /locks shows who holds what, with fences, and is narrowed by resource, owner and kind', async () => {
  const lock = await hold('repository:minimax/site')
  const job = await run('dave')
  const { json } = await door.get('/locks')
  expect(json.locks).toMatchObject([
    {
      resource: 'repository:minimax/site',
      kind: 'lock',
      job_id: lock.lock_id,
      owner: 'ann',
      fence: lock.token,
      capacity: 1,
    },
    { resource: 'user:dave', kind: 'job', job_id: job.job_id, owner: 'dave', fence: job.token, agent_id: agent.id },
  ])
  expect(json.is_truncated).toBe(false)
  for (const query of ['resource=user:dave', 'owner=dave', 'kind=job', 'kind=job&limit=1'])
    expect((await door.get(`/locks?${query}`)).json.locks, query).toMatchObject([{ job_id: job.job_id }])
  expect((await door.get('/locks?limit=1')).json).toMatchObject({ locks: [{}], is_truncated: true })
  expect((await door.get('/locks?resource=alice')).json).toMatchObject({ status: 422 })
  expect((await door.get('/locks?colour=red')).json).toMatchObject({ status: 422, field: 'colour' })
  expect((await door.get('/agents')).json.agents).toHaveLength(1)
  await door.send('DELETE', '/locks/repository%3Aminimax%2Fsite')
  await agent.complete(job)
})

test('POST /locks/sweep releases old locks, and only tells of them on a dry run', async () => {
  const lock = await hold('user:old')
  const dry = await door.post('/locks/sweep', { older_than_seconds: 0, dry_run: true })
  expect(dry.json).toMatchObject({ dry_run: true, locks: [{ job_id: lock.lock_id, status: 'held' }] })
  expect((await door.post('/locks/sweep', { older_than_seconds: 3600 })).json.locks).toEqual([])
  expect((await door.post('/locks/sweep', { older_than_seconds: 0 })).json.locks).toMatchObject([
    { job_id: lock.lock_id, kind: 'lock', resources: ['user:old'], owner: 'ann', status: 'released' },
  ])
  expect((await door.post('/locks/sweep', {})).json).toMatchObject({ status: 422, field: 'older_than_seconds' })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { countRows, type HttpDoor, openHttpDoor } from './http-door.ts'
import { TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
  agent = await TestAgent.register(db, { slots: 10 })
})
afterAll(() => door.server.stop())

async function enqueue(id: string): Promise<void> {
  expect((await door.post('/jobs', { task: 't', id })).status).toBe(201)
}

async function run(id: string) {
  await enqueue(id)
  const claimed = await agent.claimOne()
  expect(claimed.job_id).toBe(id)
  return claimed
}

const lastEvent = async (id: string) => (await door.get(`/jobs/${id}/timeline`)).json.events.at(-1)

describe('POST /jobs/:id/cancel', () => {
  test('cancels a waiting job at once, with reason and actor in its log', async () => {
    await enqueue('c-waiting')
    const reply = await door.post('/jobs/c-waiting/cancel', { reason: 'not needed', actor: 'ann' })
    expect(reply.status).toBe(200)
    expect(reply.json).toMatchObject({
      id: 'c-waiting',
      status: 'cancelled',
      job: { status: 'cancelled', reason: 'not needed' },
    })
    expect(await lastEvent('c-waiting')).toMatchObject({
      event_type: 'cancelled',
      actor: 'ann',
      conflict_reason: 'not needed',
    })
  })

  test('asks a running job to stop, and answers 202 as long as it runs', async () => {
    const claimed = await run('c-running')
    const reply = await door.post('/jobs/c-running/cancel')
    expect(reply.status).toBe(202)
    expect(reply.json).toMatchObject({ status: 'cancelling', job: { status: 'running' } })
    expect(reply.json.job.cancel_requested_at).not.toBeNull()
    await db.query('select interlock.confirm_cancel($1, $2)', [claimed.job_id, claimed.token])
    expect((await door.get('/jobs/c-running')).json.status).toBe('cancelled')
  })

  test('refuses one that has ended (409), one that nobody has (404), and a body that it does not know (422)', async () => {
    await agent.complete(await run('c-done'))
    expect((await door.post('/jobs/c-done/cancel')).json).toMatchObject({ status: 409, code: 'illegal_transition' })
    expect((await door.post('/jobs/nobody/cancel')).json).toMatchObject({ status: 404, code: 'job_not_found' })
    expect((await door.post('/jobs/a%20b/cancel')).json).toMatchObject({ status: 404, code: 'job_not_found' })
    await enqueue('c-kept')
    const before = await countRows(db)
    expect((await door.post('/jobs/c-kept/cancel', { raeson: 'x' })).json).toMatchObject({
      status: 422,
      field: 'raeson',
      hint: 'Did you mean reason?',
    })
    expect(await countRows(db)).toEqual(before)
    await door.post('/jobs/c-kept/cancel')
  })
})

describe('POST /jobs/:id/requeue', () => {
  test('sends a dead letter back to wait', async () => {
    await agent.fail(await run('r-dead'), 'boom')
    expect((await door.get('/jobs/r-dead')).json).toMatchObject({
      status: 'failed',
      error: { message: 'boom' },
      attempt: 1,
    })
    const reply = await door.post('/jobs/r-dead/requeue', { reason: 'fixed' })
    expect(reply.status).toBe(200)
    expect(reply.json).toMatchObject({ status: 'pending', job: { status: 'pending', attempt: 0 } })
    expect(await lastEvent('r-dead')).toMatchObject({ event_type: 'requeued', actor: 'http' })
    await agent.complete(await agent.claimOne())
    expect((await door.get('/jobs/r-dead')).json.status).toBe('completed')
    expect(
      (await door.get('/jobs?task=t&limit=500')).json.jobs.filter((job: { id: string }) => job.id === 'r-dead'),
    ).toHaveLength(1)
  })

  test('refuses one that waits already', async () => {
    await enqueue('r-waiting')
    expect((await door.post('/jobs/r-waiting/requeue')).json).toMatchObject({ status: 409, code: 'illegal_transition' })
    await door.post('/jobs/r-waiting/cancel')
  })
})

describe('DELETE /jobs/:id', () => {
  test('deletes a waiting job and a dead letter; both stay findable', async () => {
    await enqueue('d-waiting')
    expect((await door.send('DELETE', '/jobs/d-waiting')).json).toMatchObject({
      status: 'deleted',
      job: { status: 'deleted' },
    })
    await agent.fail(await run('d-dead'), 'boom')
    expect((await door.send('DELETE', '/jobs/d-dead')).status).toBe(200)
    expect((await door.get('/jobs/d-dead')).json).toMatchObject({ status: 'deleted', error: { message: 'boom' } })
  })

  test('refuses one that runs, and says to cancel it first', async () => {
    const claimed = await run('d-running')
    const before = await countRows(db)
    const reply = await door.send('DELETE', '/jobs/d-running')
    expect(reply.json).toMatchObject({ status: 409, code: 'illegal_transition', hint: 'Cancel it first.' })
    expect(await countRows(db)).toEqual(before)
    await agent.complete(claimed)
  })
})

describe('GET /jobs/:id/timeline', () => {
  test('tells all that happened to a job, oldest first, and can be read on', async () => {
    await agent.complete(await run('t-one'))
    const { json } = await door.get('/jobs/t-one/timeline')
    expect(json.events.map((event: { event_type: string }) => event.event_type)).toEqual([
      'enqueued',
      'assigned',
      'started',
      'completed',
    ])
    expect(json.events[1]).toMatchObject({
      from_status: 'pending',
      to_status: 'assigned',
      agent_id: agent.id,
      job_id: 't-one',
    })
    expect(json.next_after).toBeNull()
    const first = (await door.get('/jobs/t-one/timeline?limit=3')).json
    expect(first.next_after).toBe(first.events[2].id)
    const rest = (await door.get(`/jobs/t-one/timeline?after=${first.next_after}`)).json
    expect([...first.events, ...rest.events]).toEqual(json.events)
  })

  test('answers 404 for a job that nobody has heard of', async () => {
    expect((await door.get('/jobs/nobody/timeline')).json).toMatchObject({ status: 404, code: 'job_not_found' })
  })
})

describe('GET /jobs/:id/explain', () => {
  test('says in a sentence why a job waits, with the chain down to the one that runs', async () => {
    await door.post('/jobs', { task: 't', id: 'e-holder', user: 'eve' })
    const claimed = await agent.claimOne()
    await door.post('/jobs', { task: 't', id: 'e-waits', user: 'eve' })
    await agent.claim()
    const { json, status } = await door.get('/jobs/e-waits/explain')
    expect(status).toBe(200)
    expect(json).toMatchObject({
      job_id: 'e-waits',
      status: 'pending',
      blocked_by_job_id: 'e-holder',
      obstacle: { resource: 'user:eve', kind: 'user' },
    })
    expect(json.sentence).toMatch(/e-waits.*user:eve.*e-holder/)
    await agent.complete(claimed)
    expect((await door.get('/jobs/e-holder/explain')).json.sentence).toMatch(/completed/)
  })

  test('answers 404 for a job that nobody has heard of', async () => {
    expect((await door.get('/jobs/nobody/explain')).json).toMatchObject({ status: 404, code: 'job_not_found' })
  })
})

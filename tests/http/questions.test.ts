import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor, type Reply } from './http-door.ts'
import { type Claimed, TestAgent } from './test-agent.ts'

let db: TestDatabase
let door: HttpDoor
let agent: TestAgent
let watcher: Database

beforeAll(async () => {
  db = await createTestDatabase()
  door = await openHttpDoor(db)
  agent = await TestAgent.register(db, { slots: 50 })
  watcher = new Database({ url: db.url, applicationName: 'tests: watcher', poolSize: 1 })
})
afterAll(() => Promise.all([door.server.stop(), watcher.end()]))

let runs = 0
/** Enqueues a job and has it run: claimed by the agent itself, or for it by a dispatcher that was faster. */
async function run(fields: Record<string, unknown> = {}): Promise<Claimed> {
  const id = `job-${++runs}`
  expect((await door.post('/jobs', { task: 't', id, user: `user-${runs}`, ...fields })).status).toBe(201)
  let mine: Claimed | undefined
  await waitFor(
    async () => {
      mine = [...(await agent.claim(1)), ...(await agent.assigned())].find((job) => job.job_id === id)
      return mine !== undefined
    },
    { what: `job ${id} to be the agent's` },
  )
  if (mine === undefined) throw new Error('it was waited for')
  await agent.confirm([mine])
  return mine
}

const ask = ({ job_id, token }: Claimed, fields: Record<string, unknown> = {}, headers = {}): Promise<Reply> =>
  door.post(`/jobs/${job_id}/requests`, { token, message: 'Which branch?', ...fields }, headers)

/** Whether somebody's long poll is being looked after. */
const isWaitedFor = (id: string) =>
  waitFor(
    async () => {
      // From a connection of its own: on a shared one it would see itself.
      const rows = await watcher.query(
        `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query like '%is_settled%'`,
      )
      return rows.length > 0
    },
    { what: `a look at ${id}` },
  )

describe('POST /jobs/:id/requests', () => {
  test('asks as the holder, who names its token; with its key only once', async () => {
    const job = await run()
    const reply = await ask(
      job,
      { request_type: 'clarification', context: { file: 'a.ts' } },
      { 'idempotency-key': 'k' },
    )
    expect(reply.status, reply.text).toBe(201)
    expect(reply.json).toMatchObject({
      status: 'open',
      job_id: job.job_id,
      request_type: 'clarification',
      message: 'Which branch?',
      context: { file: 'a.ts' },
      given_back: null,
      response: null,
    })
    expect(reply.headers.get('location')).toBe(`/requests/${reply.json.id}`)
    const again = await ask(job, {}, { 'idempotency-key': 'k' })
    expect(again.json.id).toBe(reply.json.id)
    const timeline = await door.get(`/jobs/${job.job_id}/timeline`)
    expect(timeline.json.events.map((event: { event_type: string }) => event.event_type)).toEqual([
      'enqueued',
      'assigned',
      'started',
      'asked',
    ])
    const { json } = await door.get(`/jobs/${job.job_id}/explain`)
    expect(json).toMatchObject({
      request_id: reply.json.id,
      sentence: expect.stringContaining('an answer of a person'),
    })
  })

  test('names what is wrong: fields, an old token, a job that does not run', async () => {
    const job = await run()
    expect((await ask(job, { message: '' })).json).toMatchObject({ status: 422, field: 'message' })
    expect((await ask(job, { request_type: 'order' })).json).toMatchObject({ status: 422, field: 'request_type' })
    expect((await ask(job, { massage: 'm' })).json).toMatchObject({ status: 422, field: 'massage' })
    expect((await ask(job, { release_models: true, release_resources: ['a:b'] })).json).toMatchObject({
      status: 422,
      field: 'release_resources',
    })
    expect((await ask(job, { release_resources: ['model:none'] })).json).toMatchObject({
      status: 422,
      field: 'release_resources',
    })
    expect((await door.post(`/jobs/${job.job_id}/requests`, { message: 'm' })).json).toMatchObject({ field: 'token' })
    expect((await ask({ ...job, token: 0 })).json).toMatchObject({ status: 409, code: 'stale_token' })
    expect((await ask({ ...job, job_id: 'nobody' })).json).toMatchObject({ status: 404, code: 'job_not_found' })
    expect((await door.get(`/requests?job=${job.job_id}`)).json).toEqual({ requests: [], next_cursor: null })
  })
})

describe('GET /requests', () => {
  test('lists by status, job and conversation, the oldest first, a page at a time', async () => {
    const job = await run()
    const ids: string[] = []
    for (const conversation_id of ['x', 'x', 'y']) ids.push((await ask(job, { conversation_id })).json.id)
    await door.post(`/requests/${ids[0]}/response`, { message: 'main' })
    const idsOf = async (query: string) =>
      (await door.get(`/requests?job=${job.job_id}&${query}`)).json.requests.map(({ id }: { id: string }) => id)
    expect(await idsOf('')).toEqual(ids)
    expect(await idsOf('status=open')).toEqual(ids.slice(1))
    expect(await idsOf('status=answered')).toEqual(ids.slice(0, 1))
    expect(await idsOf('conversation=x')).toEqual(ids.slice(0, 2))
    const first = (await door.get(`/requests?job=${job.job_id}&limit=2`)).json
    expect(first.next_cursor).toBe(ids[1])
    expect(await idsOf(`cursor=${first.next_cursor}`)).toEqual(ids.slice(2))
    await agent.complete(job)
    // At once, whether or not a coordinator has come by.
    expect(await idsOf('status=open')).toEqual([])
    expect(await idsOf('status=closed')).toEqual(ids.slice(1))
    expect((await door.get('/requests?status=new')).json).toMatchObject({ status: 422, field: 'status' })
    expect((await door.get('/requests/q-z9')).status).toBe(404)
  })
})

describe('POST /requests/:id/response', () => {
  test('answers once; an approval by yes or no', async () => {
    const job = await run()
    const { id } = (await ask(job, { request_type: 'approval', message: 'Deploy?' })).json
    const path = `/requests/${id}/response`
    expect((await door.post(path, { message: 'sure' })).json).toMatchObject({ status: 422, field: 'response_type' })
    expect((await door.post(path, { response_type: 'perhaps' })).json).toMatchObject({ field: 'response_type' })
    expect((await door.post(path, { response: 'm' })).json).toMatchObject({ status: 422, field: 'response' })
    const reply = await door.post(path, { response_type: 'approval', responder_id: 'alice', instructions: ['slowly'] })
    expect(reply.status, reply.text).toBe(201)
    expect(reply.json).toMatchObject({
      status: 'answered',
      response: { response_type: 'approval', responder_id: 'alice', generated_by: 'human', instructions: ['slowly'] },
    })
    expect((await door.post(path, { response_type: 'rejection' })).json).toMatchObject({
      status: 409,
      code: 'illegal_transition',
      detail: `request ${id} was answered already by alice`,
    })
    expect((await door.post('/requests/q-z9/response', { message: 'm' })).status).toBe(404)
  })
})

describe('GET /requests/:id/response', () => {
  test('waits for the answer, and says open when the time is over', async () => {
    const job = await run()
    const { id } = (await ask(job)).json
    const path = `/requests/${id}/response`
    expect((await door.get(path)).json).toEqual({ request_id: id, status: 'open', response: null, fences: {} })
    expect((await door.get(`${path}?wait_seconds=0.3`)).json.status).toBe('open')
    const waiting = Promise.all([door.get(`${path}?wait_seconds=30`), door.get(`${path}?wait_seconds=30`)])
    await isWaitedFor(id)
    await door.post(path, { message: 'main' })
    for (const { json } of await waiting) {
      expect(json).toMatchObject({ status: 'answered', response: { message: 'main' }, fences: {} })
    }
    expect((await door.get(`${path}?wait_seconds=500`)).json).toMatchObject({ status: 422, field: 'wait_seconds' })
    expect((await door.get('/requests/q-z9/response')).status).toBe(404)
  })

  test('says closed to who waits when the job ends, and expired when nobody answers', async () => {
    const [job, other] = [await run(), await run()]
    const { id } = (await ask(job)).json
    const { id: short } = (await ask(other, { expires_in_seconds: 1 })).json
    const closed = door.get(`/requests/${id}/response?wait_seconds=30`)
    const expired = door.get(`/requests/${short}/response?wait_seconds=30`)
    await isWaitedFor(id)
    await agent.complete(job)
    expect((await closed).json.status).toBe('closed')
    expect((await expired).json.status).toBe('expired')
  })

  test('brings no answer before the models are held again, and then their new fences', async () => {
    const ticker = new Ticker({
      database: db.database,
      dispatcher: new Dispatcher({ database: db.database }),
      logger: createSilentLogger(),
      intervalMs: 50,
    })
    ticker.start()
    try {
      const job = await run({ models: ['flux'] })
      const asked = await ask(job, { release_models: true })
      expect(asked.json, asked.text).toMatchObject({ given_back: ['model:flux'], is_away: true })
      const other = await run({ models: ['flux'] })
      const path = `/requests/${asked.json.id}/response`
      await door.post(path, { message: 'main' })
      expect((await door.get(`${path}?wait_seconds=0.5`)).json).toMatchObject({ status: 'open', response: null })
      expect((await door.get(`/jobs/${job.job_id}/explain`)).json.sentence).toContain(
        `has to have model:flux again before it goes on with request ${asked.json.id}, which was answered: Job`,
      )
      const waiting = door.get(`${path}?wait_seconds=30`)
      await agent.complete(other)
      const { json } = await waiting
      expect(json).toMatchObject({ status: 'answered', response: { message: 'main' } })
      expect(json.fences['model:flux']).toBeGreaterThan(other.token)
      await agent.complete(job)
    } finally {
      await ticker.stop()
    }
  })
})

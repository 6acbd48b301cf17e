import { beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import { createClient } from '../../src/client/create-client.ts'
import { Database } from '../../src/store/database.ts'
import { testInWorld } from '../agent/agent-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { type CutSide, Line } from '../support/line.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 11: the connection is cut exactly at COMMIT, before the server heard of it or after: who asked cannot know.

const sides: readonly CutSide[] = ['before the server', 'after the server']

describe('an enqueue whose connection is cut at its commit', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createTestDatabase()
  })

  test.each(sides)(
    'is 503, and repeated with its Idempotency-Key makes exactly one job (cut %s has it)',
    async (side) => {
      const line = await Line.lay(db.url)
      const database = new Database({ url: line.urlOf(db.url) })
      const door = await openHttpDoor({ ...db, database })
      const body = { task: 't', user: `cut ${side}` }
      const headers = { 'idempotency-key': `one-${side.replaceAll(' ', '-')}` }
      line.cutAtEnd(side, /enqueue/)
      const first = await door.post('/jobs', body, headers)
      expect([first.status, first.json.code, first.headers.get('retry-after')]).toEqual([503, 'unavailable', '2'])
      const second = await door.post('/jobs', body, headers)
      const third = await door.post('/jobs', body, headers)
      expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([
        201,
        side === 'after the server' ? 'true' : null,
      ])
      expect([third.status, third.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
      expect(third.json.id).toBe(second.json.id)
      expect(third.headers.get('location')).toBe(`/jobs/${second.json.id}`)
      expect(await db.query('select id from interlock.jobs where user_name = $1', [body.user])).toEqual([
        { id: second.json.id },
      ])
      await door.server.stop()
      await database.end()
      await line.close()
    },
  )

  test.each(sides)('of a batch makes all of its jobs once (cut %s has it)', async (side) => {
    const line = await Line.lay(db.url)
    const database = new Database({ url: line.urlOf(db.url) })
    const door = await openHttpDoor({ ...db, database })
    const user = `batch ${side}`
    const body = { jobs: [1, 2, 3].map((n) => ({ task: 't', user, payload: { n } })) }
    const headers = { 'idempotency-key': `batch-${side.replaceAll(' ', '-')}` }
    line.cutAtEnd(side, /enqueue/)
    expect((await door.post('/jobs/batch', body, headers)).status).toBe(503)
    const replies = await Promise.all([1, 2, 3].map(() => door.post('/jobs/batch', body, headers)))
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201])
    expect(new Set(replies.map(({ json }) => JSON.stringify(json.jobs))).size).toBe(1)
    const rows = await db.query<{ n: number }>(
      `select (payload -> 'n')::int as n from interlock.jobs where user_name = $1 order by seniority`,
      [user],
    )
    expect(rows.map(({ n }) => n)).toEqual([1, 2, 3])
    await door.server.stop()
    await database.end()
    await line.close()
  })

  test('does not let its key stand for another request, nor keep the key of one that was refused', async () => {
    const door = await openHttpDoor(db)
    const headers = { 'idempotency-key': 'taken' }
    expect((await door.post('/jobs', { task: 't', queue: 'nowhere' }, headers)).status).toBe(422)
    expect((await door.post('/jobs', { task: 't' }, headers)).status).toBe(201)
    expect((await door.post('/jobs', { task: 'another' }, headers)).json).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
      field: 'idempotency_key',
    })
    expect((await door.post('/jobs', { task: 't' }, { 'idempotency-key': 'x'.repeat(201) })).json).toMatchObject({
      status: 422,
      field: 'Idempotency-Key',
    })
    await door.server.stop()
  })

  test('and had ended before it was repeated is told so, and does not run twice', async () => {
    const door = await openHttpDoor(db)
    const headers = { 'idempotency-key': 'ended' }
    const { json } = await door.post('/jobs', { task: 't', user: 'ender' }, headers)
    await door.post(`/jobs/${json.id}/cancel`)
    const again = await door.post('/jobs', { task: 't', user: 'ender' }, headers)
    expect([again.status, again.json.id, again.json.status]).toEqual([201, json.id, 'cancelled'])
    await door.server.stop()
  })
})

describe('what a caller makes once, its connection cut at the commit', () => {
  let db: TestDatabase
  beforeAll(async () => {
    db = await createTestDatabase()
  })

  async function throughCut(side: CutSide, what: RegExp, ask: (door: HttpDoor) => Promise<void>): Promise<void> {
    const line = await Line.lay(db.url)
    const database = new Database({ url: line.urlOf(db.url) })
    const door = await openHttpDoor({ ...db, database })
    line.cutAtEnd(side, what)
    await ask(door)
    expect(line.cutsAtEnd, 'whether the cut is still to come').toBe(false)
    await door.server.stop()
    await database.end()
    await line.close()
  }

  test.each(sides)('a lock is one lock, and in nobody’s way (cut %s has it)', async (side) => {
    const owner = `owner, cut ${side}`
    const headers = { 'idempotency-key': `lock-${side.replaceAll(' ', '-')}` }
    const body = { resource: `door:${side.replaceAll(' ', '-')}`, owner }
    await throughCut(side, /acquire_lock/, async (door) => {
      expect((await door.post('/locks', body, headers)).status).toBe(503)
      const replies = [await door.post('/locks', body, headers), await door.post('/locks', body, headers)]
      expect(replies.map(({ status }) => status)).toEqual([201, 201])
      expect(replies.map((reply) => reply.headers.get('idempotency-replayed'))).toEqual([
        side === 'after the server' ? 'true' : null,
        'true',
      ])
      expect(new Set(replies.map(({ json }) => `${json.lock_id} ${json.token}`)).size).toBe(1)
    })
    expect(await db.query(`select id from interlock.jobs where user_name = $1`, [owner])).toHaveLength(1)
  })

  test.each(sides)('a lock that the client acquires is one, and it asks again by itself (cut %s)', async (side) => {
    const resource = `gate:${side.replaceAll(' ', '-')}`
    await throughCut(side, /acquire_lock/, async (door) => {
      const client = await createClient({ url: door.url })
      await using lock = await client.hold(resource, { wait_seconds: 0 })
      expect(await db.query('select job_id from interlock.locks where resource = $1', [resource])).toEqual([
        { job_id: lock.id },
      ])
      await client.close()
    })
  })

  test.each(sides)('a registration is one agent, which supersedes nobody (cut %s has it)', async (side) => {
    const name = `agent-${side.replaceAll(' ', '-')}`
    const headers = { 'idempotency-key': name }
    await throughCut(side, /register_agent/, async (door) => {
      expect((await door.post('/agents', { name, queues: ['default'] }, headers)).status).toBe(503)
      const replies = await Promise.all(
        [1, 2, 3].map(() => door.post('/agents', { name, queues: ['default'] }, headers)),
      )
      expect(replies.map(({ status }) => status)).toEqual([201, 201, 201])
      expect(new Set(replies.map(({ json }) => json.agent_id)).size).toBe(1)
    })
    expect(await db.query('select state, end_reason from interlock.agent_stats where name = $1', [name])).toEqual([
      { state: 'active', end_reason: null },
    ])
  })
})

describe('an agent whose connection is cut at the commit of', () => {
  const verbs = [
    { verb: 'claim_jobs', ends: ['claim', /claim_jobs/] },
    { verb: 'start_jobs', ends: ['start', /start_jobs/] },
    { verb: 'complete_jobs', ends: ['completion', /complete_jobs/] },
    { verb: 'fail_job', ends: ['failure', /fail_job/] },
  ] as const

  for (const { verb, ends } of verbs) {
    for (const side of sides) {
      testInWorld.concurrent(
        `${verb} comes to one outcome of one attempt (cut ${side} has it)`,
        async ({ world, expect }) => {
          const line = await Line.lay(world.test.url)
          const database = new Database({ url: line.urlOf(world.test.url) })
          const script = verb === 'fail_job' ? 'exit 77' : 'echo "{}"'
          const agent = new Agent({
            ...world.settings({ tasks: { once: { command: ['sh', '-c', `echo ran; ${script}`] } } }),
            database,
            log: world.agentLog,
          })
          await agent.start()
          line.cutAtEnd(side, ends[1])
          const job = await world.enqueue({ task: 'once', user: 'alice' })
          const [end, event] = verb === 'fail_job' ? ['failed', 'failed'] : ['completed', 'completed']
          await world.untilStatus(job, end)
          expect(line.cutsAtEnd, `whether the cut at the ${ends[0]} is still to come`).toBe(false)
          const events = (await world.eventsOf(job)).map((row) => row.event)
          expect(events).toEqual(['enqueued', 'assigned', 'started', event])
          expect(await world.outputOf(job)).toBe(verb === 'fail_job' ? 'stdout: ran' : 'stdout: ran\nstdout: {}')
          await waitFor(async () => (await agentHolds(world.test, agent.id)) === 0, { what: 'it to hold nothing' })
          await agent.stop({ graceSeconds: 1 })
          await database.end()
          await line.close()
        },
      )
    }
  }
})

async function agentHolds(test: TestDatabase, agentId: string | null): Promise<number> {
  const [row] = await test.query<{ n: number }>(
    'select count(*)::int as n from interlock.jobs where agent_id = $1 and held is not null',
    [agentId],
  )
  return row?.n ?? 0
}

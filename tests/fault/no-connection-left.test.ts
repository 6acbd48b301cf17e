import { expect, test } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import type { Connection } from '../../src/store/connection.ts'
import { Database } from '../../src/store/database.ts'
import { sqlstateOf } from '../../src/store/sqlstate.ts'
import { testInWorld } from '../agent/agent-world.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { timelineOf } from '../support/job-facts.ts'
import { OwnServer } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 13: max_connections is reached, or the pool is exhausted.

testInWorld(
  'with every connection of the pool taken, heartbeats go on, HTTP answers 503 with Retry-After, and all goes on afterwards',
  async ({ world, expect }) => {
    const database = new Database({ url: world.test.url, poolSize: 3, connectTimeoutSeconds: 1 })
    const agent = new Agent({
      ...world.settings({
        tasks: { wait: { command: ['sh', '-c', 'sleep 3; echo "{}"'] } },
        leaseSeconds: 3,
        heartbeatSeconds: 1,
      }),
      database,
      log: world.agentLog,
    })
    await agent.start()
    const { id } = agent
    const door = await openHttpDoor({ ...world.test, database })
    const job = await world.enqueue({ task: 'wait', user: 'alice' })
    await world.untilStatus(job, 'running')
    const taken = await Promise.all([1, 2, 3].map(() => database.pool.connect()))
    const heartbeats = async () => {
      const [row] = await world.test.query<{ at: Date }>(
        'select last_heartbeat_at as at from interlock.agent_stats where id = $1',
        [id],
      )
      return row?.at.getTime() ?? 0
    }
    const before = await heartbeats()
    const startedMs = performance.now()
    const replies = await Promise.all([
      door.post('/jobs', { task: 't' }),
      door.get('/queue/status'),
      door.get('/readyz'),
    ])
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(replies.map(({ status }) => status)).toEqual([503, 503, 503])
    expect(replies[0].headers.get('retry-after')).toBe('2')
    // Longer than its lease.
    await waitFor(async () => (await heartbeats()) > before + 3500, { what: 'heartbeats beyond the lease' })
    expect(await world.statusOf(job)).toBe('running')
    for (const client of taken) client.release()
    await world.untilStatus(job, 'completed')
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(agent.id).toBe(id)
    expect((await door.post('/jobs', { task: 't' })).status).toBe(201)
    await door.server.stop()
    await agent.stop({ graceSeconds: 0 })
    await database.end()
  },
)

test('with max_connections reached, a job that runs goes on, HTTP answers 503 with Retry-After, and all goes on afterwards', async () => {
  const server = await OwnServer.start({
    settings: { max_connections: '24', superuser_reserved_connections: '0', max_wal_senders: '0' },
  })
  const agent = new Agent({
    database: server.open({ poolSize: 3 }),
    name: 'one',
    queues: ['default'],
    slots: 1,
    tasks: { wait: { command: ['sh', '-c', 'sleep 2; echo "{}"'] } },
    environment: { PATH: process.env.PATH ?? '' },
    leaseSeconds: 15,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  await agent.start()
  const { id } = agent
  const watch = await server.open().connect()
  const timeline = () => timelineOf(watch, 'held')
  await watch.query(`select from interlock.enqueue_jobs('[{"task": "wait", "id": "held", "user": "alice"}]')`)
  await waitFor(async () => (await timeline()).includes('started'), { what: 'the job to run' })
  const greedy = server.open()
  const taken: Connection[] = []
  const takeAll = async () => {
    for (;;) taken.push(await greedy.connect())
  }
  const state = await takeAll().catch(sqlstateOf)
  expect(state).toBe('53300')
  const door = await openHttpDoor({ database: server.open() } as Parameters<typeof openHttpDoor>[0])
  const refused = await door.post('/jobs', { task: 't', id: 'refused' })
  expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '2'])
  expect((await door.get('/readyz')).status).toBe(503)
  await waitFor(async () => (await timeline()).includes('completed'), { what: 'the job to be completed meanwhile' })
  expect(await timeline()).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  await Promise.all(taken.map((connection) => connection.close()))
  await waitFor(async () => (await door.get('/readyz')).status === 200, { what: 'readyz to be true' })
  expect((await door.post('/jobs', { task: 't', id: 'after' })).status).toBe(201)
  expect((await watch.query('select from interlock.jobs where id = $1', ['refused'])).length).toBe(0)
  expect(agent.id).toBe(id)
  expect(await watch.query('select * from interlock.violations')).toEqual([])
  await door.server.stop()
  await agent.stop({ graceSeconds: 0 })
  await watch.close()
  await server.dispose()
})

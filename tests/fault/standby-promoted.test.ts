import { setTimeout as sleep } from 'node:timers/promises'
import { test, vi } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { absorbTouches, claimJobs } from '../../src/store/agents.ts'
import { createAttemptStore, type HeldJob } from '../../src/store/attempts.ts'
import { Database } from '../../src/store/database.ts'
import { enqueueJobs } from '../../src/store/jobs.ts'
import type { Queryable } from '../../src/store/queryable.ts'
import { checkServer } from '../../src/store/server-check.ts'
import { raiseAfterRestore } from '../../src/store/upkeep.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { timelineOf } from '../support/job-facts.ts'
import { registerLeaseAgent } from '../support/lease-agent.ts'
import { Line } from '../support/line.ts'
import { brokenPromises, Load, nothingBroken } from '../support/load.ts'
import { OwnServer } from '../support/own-server.ts'
import { Standby } from '../support/standby.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 8: a standby is promoted while the old primary lives on. `address` is what everybody dials, and moves.

// Six servers at once.
vi.setConfig({ testTimeout: 60_000 })

interface World {
  readonly primary: OwnServer
  readonly standby: Standby
  readonly replication: Line
  readonly address: Line
  /** By the address. */
  readonly database: Database
}

const testWithStandby = test.extend<{ world: World }>({
  world: async ({ task: _ }, use) => {
    const primary = await OwnServer.start()
    const replication = await Line.lay(primary.url)
    const address = await Line.lay(primary.url)
    const standby = await Standby.follow(primary, replication.urlOf(primary.url))
    const database = new Database({ url: address.urlOf(primary.url), statementTimeoutSeconds: 2 })
    try {
      await use({ primary, standby, replication, address, database })
    } finally {
      await database.end()
      await standby.dispose()
      await primary.dispose()
      await address.close()
      await replication.close()
    }
  },
})

async function countEverything(queryable: Queryable): Promise<unknown> {
  return queryable.query(`select (select count(*) from interlock.jobs) as jobs, (select count(*) from interlock.job_queue_log) as events,
    (select count(*) from interlock.task_history) as history`)
}

async function claimOne(queryable: Queryable, name: string): Promise<HeldJob> {
  const agentId = await registerLeaseAgent(queryable, { name })
  await absorbTouches(queryable)
  const [job] = (await claimJobs(queryable, agentId, 1)).assignments
  if (job === undefined) throw new Error('nothing could be claimed')
  await createAttemptStore(queryable).startJobs([job])
  return job
}

testWithStandby.concurrent(
  'with synchronous replication nothing acknowledged is lost, jobs that run go on, and the old primary acknowledges nothing any more',
  async ({ world: { primary, standby, address, database }, expect }) => {
    const admin = primary.open()
    await admin.query(`alter system set synchronous_standby_names = '*'`)
    await admin.query('select pg_reload_conf()')
    await waitFor(
      async () => (await admin.query(`select from pg_stat_replication where sync_state = 'sync'`)).length === 1,
      {
        what: 'replication to be synchronous',
      },
    )
    const ticker = new Ticker({ database, dispatcher: new Dispatcher({ database }), logger: createSilentLogger() })
    ticker.start()
    const silent = () => undefined
    const agent = new Agent({
      database,
      name: 'one',
      queues: ['low'],
      slots: 1,
      tasks: { long: { command: ['sh', '-c', 'sleep 5; echo "{}"'] } },
      environment: { PATH: process.env.PATH ?? '' },
      leaseSeconds: 15,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    })
    await agent.start()
    const { id } = agent
    await enqueueJobs(database, [{ id: 'long', task: 'long', user: 'alice', queue: 'low' }])
    const timeline = () => timelineOf(database, 'long')
    await waitFor(async () => (await timeline()).includes('started'), { what: 'the long job to run' })
    const load = new Load({ database })
    await load.flows(200)
    await standby.promote()
    // Somebody still writes to the old one: it cannot say that it is done.
    const old = new Database({ url: primary.url, statementTimeoutSeconds: 1 })
    await expect(enqueueJobs(old, [{ id: 'to-the-old-one', task: 't' }])).rejects.toMatchObject({ code: 'unavailable' })
    old.abandon()
    await old.end()
    address.leadTo(standby.url)
    const refusalsBefore = load.refusals
    await load.flows(200)
    await load.drain()
    expect(load.failures).toEqual([])
    expect(load.refusals).toBeGreaterThanOrEqual(refusalsBefore)
    const now = standby.open()
    expect(await brokenPromises(now, load)).toEqual(nothingBroken)
    expect(await now.query(`select from interlock.jobs where id = 'to-the-old-one'`)).toEqual([])
    await waitFor(async () => (await timeline()).includes('completed'), {
      what: 'the long job to end',
      timeoutMs: 15_000,
    })
    expect(await timeline()).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(agent.id).toBe(id)
    expect(await now.query('select * from interlock.violations')).toEqual([])
    await agent.stop({ graceSeconds: 0 })
    await ticker.stop()
    console.log(`${load.enqueued.size} enqueued, ${load.completed.size} completed, ${load.refusals} times refused`)
  },
)

testWithStandby.concurrent(
  'nothing is decided from a replica: what is connected to one is not ready, writes nothing, and serves once it is promoted',
  async ({ world: { primary, standby }, expect }) => {
    await enqueueJobs(primary.open(), [{ id: 'before', task: 't', user: 'alice' }])
    const replica = standby.open()
    await waitFor(async () => (await replica.query(`select from interlock.jobs where id = 'before'`)).length === 1, {
      what: 'the job to be replicated',
    })
    const before = await countEverything(replica)
    await expect(checkServer(replica)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is a standby'),
    })
    const door = await openHttpDoor({ database: replica } as Parameters<typeof openHttpDoor>[0])
    const ready = await door.get('/readyz')
    expect(ready.status).toBe(503)
    expect(ready.json.checks).toContainEqual({ name: 'database', is_ok: false, reason: 'the server is a standby' })
    const refused = await door.post('/jobs', { task: 't', id: 'refused' })
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '2'])
    const ticker = new Ticker({
      database: replica,
      dispatcher: new Dispatcher({ database: replica }),
      logger: createSilentLogger(),
    })
    await ticker.tick()
    await expect(claimOne(replica, 'one')).rejects.toMatchObject({ code: 'unavailable' })
    expect(await countEverything(primary.open())).toEqual(before)
    await standby.promote()
    await waitFor(async () => (await door.get('/readyz')).status === 200, { what: 'readyz to be true' })
    expect((await door.post('/jobs', { task: 't', id: 'after' })).status).toBe(201)
    expect((await claimOne(replica, 'one')).jobId).toBe('before')
    await door.server.stop()
  },
)

testWithStandby.concurrent(
  'after a failover that lost grants, raise_after_restore() lifts tokens and fences above all of them; without it they fall',
  async ({ world: { standby, replication, address, database }, expect }) => {
    await enqueueJobs(
      database,
      Array.from({ length: 300 }, (_, n) => ({ id: `job-${n}`, task: 't', user: `user-${n}` })),
    )
    const [{ lsn } = { lsn: '' }] = await database.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
    await waitFor(
      async () =>
        (await standby.open().query(`select where pg_last_wal_replay_lsn() >= $1::pg_lsn`, [lsn])).length === 1,
      {
        what: 'the standby to have it all',
      },
    )
    // From here on the standby hears of nothing: 100 grants are handed out that it will never know of.
    await replication.close()
    await sleep(100)
    const agentId = await registerLeaseAgent(database, { name: 'lost' })
    await absorbTouches(database)
    const lost = [
      ...(await claimJobs(database, agentId, 50)).assignments,
      ...(await claimJobs(database, agentId, 50)).assignments,
    ]
    expect(lost.length).toBe(100)
    const highest = Math.max(...lost.map(({ token }) => token))
    await standby.promote()
    address.leadTo(standby.url)
    await waitFor(() => database.query('select 1'), { what: 'the address to lead there' })
    const fallen = await claimOne(database, 'careless')
    expect(fallen.token).toBeLessThanOrEqual(highest)
    const raised = await raiseAfterRestore(database, { actor: 'tests' })
    expect(raised.map(({ name }) => name)).toEqual(['grant_numbers', 'job_numbers', 'message_numbers', 'incarnations'])
    const next = await claimOne(database, 'careful')
    expect(next.token).toBeGreaterThan(highest)
    // The holders of the lost history are refused, but for the one whose very token the careless grant gave away again.
    const verdicts = await createAttemptStore(database).completeJobs(lost.map((job) => ({ ...job, result: null })))
    expect(verdicts.flatMap(({ jobId, accepted }) => (accepted ? [jobId] : []))).toEqual([fallen.jobId])
    await expect(claimJobs(database, agentId, 1)).rejects.toMatchObject({ code: 'agent_not_active' })
    const [again] = await raiseAfterRestore(database, { above: 5_000_000_000_000 })
    expect(again?.isNow).toBeGreaterThan(5_000_000_000_000)
    await expect(raiseAfterRestore(database, { above: Number.MAX_SAFE_INTEGER })).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'above',
    })
    expect(await database.query('select * from interlock.violations')).toEqual([])
    console.log(`lost up to ${highest}; without the verb ${fallen.token}, with it ${next.token}`)
  },
)

import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { countEvents } from '../../src/store/metrics.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { isInstalled } from '../support/installed-program.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'
import { scrape } from './scrape.ts'

let world: EngineWorld
let door: HttpDoor
let other: HttpDoor

beforeAll(async () => {
  world = await EngineWorld.create()
  // Two coordinators of one database.
  door = await openHttpDoor(world.test, { metricsAgeSeconds: 0 })
  other = await openHttpDoor(world.test, { metricsAgeSeconds: 0 })
})

afterAll(() => Promise.all([door.server.stop(), other.server.stop()]))

const count = () =>
  waitFor(
    async () => {
      await countEvents(world.test.database, 50_000)
      const left = await world.query(
        'select from interlock.job_queue_log as e, interlock.event_cursor as c where e.id > c.counted_to limit 1',
      )
      return left.length === 0
    },
    { what: 'the log to be counted' },
  )

describe('GET /metrics', () => {
  test('has every name of the contract, from the first scrape on', async () => {
    const reply = await door.get('/metrics')
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const { types } = await scrape(door)
    expect(types).toMatchObject({
      jobs_enqueued_total: 'counter',
      jobs_completed_total: 'counter',
      jobs_failed_total: 'counter',
      queue_depth: 'gauge',
      job_duration_seconds: 'histogram',
      job_wait_seconds: 'histogram',
      claims_total: 'counter',
      claim_duration_seconds: 'histogram',
      queue_oldest_waiting_seconds: 'gauge',
      resource_slots: 'gauge',
      leases_expired_total: 'counter',
      stale_writes_refused_total: 'counter',
      agents: 'gauge',
      agent_load: 'gauge',
      dead_letters: 'gauge',
      database_connections: 'gauge',
      database_listen_connected: 'gauge',
      oldest_xmin_age_transactions: 'gauge',
      process_resident_memory_bytes: 'gauge',
      nodejs_eventloop_lag_p99_seconds: 'gauge',
    })
  })

  test('counts what became of jobs, the same on every coordinator, and a new one goes on from there', async () => {
    await world.enqueue(
      { id: 'planted-job', user: 'planted-user', models: ['planted-model'] },
      { id: 'm2' },
      { id: 'm3', queue: 'low' },
      { id: 'm4' },
    )
    for (const job of await world.claim()) {
      if (job.job_id === 'm2') await world.fail(job, 'never')
      else if (job.job_id !== 'm4') await world.complete(job)
    }
    await count()
    const figures = await scrape(door)
    expect(figures.value('jobs_enqueued_total', { queue: 'default' })).toBe(3)
    expect(figures.value('jobs_completed_total', { queue: 'default', outcome: 'completed' })).toBe(1)
    expect(figures.value('jobs_completed_total', { queue: 'low', outcome: 'completed' })).toBe(1)
    expect(figures.value('jobs_failed_total', { queue: 'default', outcome: 'failed' })).toBe(1)
    expect(figures.value('jobs_failed_total', { queue: 'default', outcome: 'expired' })).toBe(0)
    expect(figures.value('dead_letters', { queue: 'default' })).toBe(1)
    expect(figures.value('queue_depth', { queue: 'default', state: 'assigned' })).toBe(1)
    expect(figures.value('agents', { state: 'busy' })).toBe(1)
    expect(figures.value('agent_slots', { state: 'used' })).toBe(1)
    // Of default: one completed, one failed.
    expect(figures.value('job_wait_seconds_count', { queue: 'default' })).toBe(2)
    expect(figures.value('job_duration_seconds_bucket', { queue: 'low', outcome: 'completed', le: '+Inf' })).toBe(1)

    const elsewhere = await scrape(other)
    const fresh = await openHttpDoor(world.test)
    const anew = await scrape(fresh).finally(() => fresh.server.stop())
    for (const name of [
      'jobs_enqueued_total',
      'jobs_completed_total',
      'jobs_failed_total',
      'job_wait_seconds_bucket',
    ]) {
      expect(elsewhere.lines(name)).toEqual(figures.lines(name))
      expect(anew.lines(name)).toEqual(figures.lines(name))
    }
  })

  test('has no id of a job, a user, an agent or a resource', async () => {
    await world.enqueue({ id: 'planted-waiting', user: 'planted-user', resources: ['gpu:planted'] })
    const held = await world.claim()
    const { text, value } = await scrape(door)
    expect(text).not.toContain('planted')
    expect(text).not.toContain(world.agent)
    expect(value('resource_slots', { kind: 'gpu', state: 'held' })).toBe(1)
    await world.complete(...held)
  })

  test('says how long the oldest waits, by queue', async () => {
    await world.enqueue({ id: 'waits', queue: 'high', user: 'ann' })
    await world.test.advanceClock(100)
    const { value } = await scrape(door)
    expect(value('queue_oldest_waiting_seconds', { queue: 'high' })).toBeGreaterThanOrEqual(100)
    expect(value('queue_oldest_waiting_seconds', { queue: 'low' })).toBe(0)
    await world.query(`select interlock.cancel_job('waits')`)
  })

  test('counts the claims of this process, and the stale writes that it refused', async () => {
    const before = await scrape(door)
    const registered = await door.post('/agents', { name: 'remote', queues: ['low'], slots: 2 })
    const id = registered.json.agent_id ?? registered.json.id
    await world.enqueue({ id: 'claimed', queue: 'low' })
    const claimed = await door.post(`/agents/${id}/claim?wait_seconds=5`)
    expect(claimed.status).toBe(200)
    const stale = await door.post('/jobs/claimed/complete', { token: 1, result: null })
    expect(stale.status).toBe(409)
    const after = await scrape(door)
    const grown = (name: string, labels = {}) => after.value(name, labels) - before.value(name, labels)
    expect(grown('claims_total', { result: 'some' })).toBe(1)
    expect(grown('claim_duration_seconds_count')).toBeGreaterThanOrEqual(1)
    expect(grown('stale_writes_refused_total')).toBe(1)
  })

  test('asks the database once for any number of scrapers', async () => {
    const kept = await openHttpDoor(world.test)
    try {
      const first = await scrape(kept)
      await world.enqueue({ id: 'not-seen-yet', run_at: '2099-01-01T00:00:00Z' })
      const again = await Promise.all(Array.from({ length: 20 }, () => scrape(kept)))
      for (const one of again) expect(one.lines('queue_depth')).toEqual(first.lines('queue_depth'))
    } finally {
      await kept.server.stop()
    }
  })

  test('with the database away says so, and what the process knows', async () => {
    await world.query('alter function interlock.metrics_snapshot(integer) rename to away')
    await world.query(`create function interlock.metrics_snapshot(p_count_limit integer default 10000) returns jsonb language plpgsql as
      $$ begin raise exception using errcode = '57P03', message = 'the server is starting'; end $$`)
    try {
      const { value, types } = await scrape(door)
      expect(value('database_up')).toBe(0)
      expect(types.process_resident_memory_bytes).toBe('gauge')
      expect(types.queue_depth).toBeUndefined()
    } finally {
      await world.query('drop function interlock.metrics_snapshot(integer)')
      await world.query('alter function interlock.away(integer) rename to metrics_snapshot')
    }
    expect((await scrape(door)).value('database_up')).toBe(1)
  })

  test.skipIf(!isInstalled('promtool'))('is what promtool takes for metrics', async () => {
    const { text } = await scrape(door)
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    expect(`${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !/^(nodejs|process)_/.test(line))).toEqual(
      [],
    )
    // 3: something of Node's own names is not to its taste.
    expect([0, 3]).toContain(status)
  })
})

describe('GET /alarms', () => {
  test('lists what is alarming, and takes no parameters', async () => {
    await world.query(`select interlock.set_alarm_policy('{"queue_depth": 0, "clear_seconds": 0}')`)
    await world.enqueue({ id: 'one-too-many', queue: 'low' })
    await world.query('select from interlock.settle_alarms(0)')
    const reply = await door.get('/alarms')
    expect(reply.json.alarms).toContainEqual(
      expect.objectContaining({
        rule: 'queue_depth',
        subject: 'low',
        bound: 0,
        message: expect.stringMatching(/jobs are pending in the queue low, more than 0/),
      }),
    )
    expect((await scrape(door)).value('alarms', { rule: 'queue_depth' })).toBeGreaterThanOrEqual(1)
    expect((await door.get('/alarms?since=1')).status).toBe(422)
  })
})

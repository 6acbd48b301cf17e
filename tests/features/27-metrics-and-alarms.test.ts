import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/observability/logger.ts'
import { applyPolicy } from '../../src/store/policy.ts'
import { type Coordinator, createCoordinator } from '../../src/worker/worker.ts'
import { runCli } from '../cli/run-cli.ts'
import { type Assigned, EngineWorld } from '../engine/engine-world.ts'
import { openWebhookReceiver, type WebhookReceiver } from '../engine/webhook-receiver.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { scrape } from '../http/scrape.ts'
import { waitFor } from '../support/wait-for.ts'

describe('feature 27: Prometheus metrics and alarms', () => {
  let world: EngineWorld
  let door: HttpDoor
  let receiver: WebhookReceiver
  let fleet: readonly Coordinator[]
  const said: Record<string, unknown>[] = []

  beforeAll(async () => {
    world = await EngineWorld.create()
    door = await openHttpDoor(world.test, { metricsAgeSeconds: 0 })
    receiver = await openWebhookReceiver()
    // As the configuration's section `alarms` says: what is not named keeps its default.
    await applyPolicy(
      world.test.database,
      { queues: {}, limits: {}, alarms: { clear_seconds: 0, is_delivered: true } },
      'configuration',
    )
    const logger = createLogger({ destination: { write: (line: string) => void said.push(JSON.parse(line)) } })
    fleet = [1, 2].map(() =>
      createCoordinator({
        database: world.test.database,
        logger,
        tickIntervalMs: 50,
        alarmIntervalSeconds: 0.1,
        webhook: receiver.options,
      }),
    )
    for (const coordinator of fleet) await coordinator.start()
  })

  afterAll(async () => {
    for (const coordinator of fleet) await coordinator.stop()
    await door.server.stop()
    await receiver.close()
  })

  const alarmsOver = async (...environment: readonly Record<string, string>[]) => {
    const results = await Promise.all(environment.map((env) => runCli(['alarms', 'list', '--json'], { env })))
    return results.map(({ stdout }) => JSON.parse(stdout) as readonly { rule: string; subject: string }[])
  }
  /** The jobs, once the coordinators have given all of them to the agent. */
  const given = (count: number) =>
    waitFor(
      async () => {
        const jobs = await world.query<Assigned & Record<string, unknown>>(
          `select id as job_id, token from interlock.jobs where status = 'assigned'`,
        )
        return jobs.length === count && jobs
      },
      { what: 'the jobs to be given out' },
    )
  const messages = (type: string) =>
    receiver.received.map(({ body }) => JSON.parse(body)).filter((message) => message.type === type)

  test('seed A’s metrics count what became of jobs', async () => {
    await world.enqueue({ id: 'good' }, { id: 'bad' })
    for (const job of await given(2)) {
      if (job.job_id === 'bad') await world.fail(job, 'never')
      else await world.complete(job)
    }
    const figures = await waitFor(
      async () => {
        const seen = await scrape(door)
        return seen.value('jobs_failed_total', { queue: 'default', outcome: 'failed' }) === 1 && seen
      },
      { what: 'a coordinator to count the log' },
    )
    expect(figures.value('jobs_enqueued_total', { queue: 'default' })).toBe(2)
    expect(figures.value('jobs_completed_total', { queue: 'default', outcome: 'completed' })).toBe(1)
    expect(figures.value('job_duration_seconds_count', { queue: 'default', outcome: 'completed' })).toBe(1)
    expect(figures.value('queue_depth', { queue: 'default', state: 'pending' })).toBe(0)
  })

  test('a dead letter is said once, by log, event, webhook, call and command, and once when it is dealt with', async () => {
    // The one of the test before.
    await waitFor(async () => messages('alarm.raised').length > 0, { what: 'the webhook to be called' })
    expect(messages('alarm.raised')).toMatchObject([
      {
        data: {
          rule: 'dead_letter',
          subject: 'default',
          value: 1,
          message: '1 dead letter is new in the queue default',
        },
      },
    ])
    expect((await door.get('/alarms')).json.alarms).toMatchObject([{ rule: 'dead_letter', subject: 'default' }])
    const [overHttp, onDatabase] = await alarmsOver({ INTERLOCK_URL: door.url }, { DATABASE_URL: world.test.url })
    expect(overHttp).toMatchObject([{ rule: 'dead_letter' }])
    expect(onDatabase).toMatchObject([{ rule: 'dead_letter', subject: 'default', value: 1 }])
    const table = await runCli(['alarms', 'list'], { env: { INTERLOCK_URL: door.url } })
    expect(table.stdout).toMatch(/ALARM +OF +SINCE +WHAT/)
    expect(table.stdout).toMatch(/dead_letter +default/)

    const requeued = await runCli(['job', 'delete', 'bad'], { env: { INTERLOCK_URL: door.url } })
    expect(requeued.code).toBe(0)
    await waitFor(async () => messages('alarm.cleared').length > 0, { what: 'the end of the alarm to be sent' })
    expect((await door.get('/alarms')).json.alarms).toEqual([])
    expect((await runCli(['alarms', 'list'], { env: { DATABASE_URL: world.test.url } })).stdout.trim()).toBe(
      'nothing is alarming',
    )
    const events = await world.query<{ event_type: string }>(
      `select event_type from interlock.job_queue_log where event_type like 'alarm!_%ed' escape '!' and details ->> 'rule' = 'dead_letter' order by id`,
    )
    expect(events.map(({ event_type }) => event_type)).toEqual(['alarm_raised', 'alarm_cleared'])
    // Two coordinators looked all the time, and one of them said it.
    expect(said.filter(({ event }) => event === 'alarm.raised')).toHaveLength(1)
    expect(said.filter(({ event }) => event === 'alarm.cleared')).toHaveLength(1)
    expect(messages('alarm.raised')).toHaveLength(1)
  })

  test('more than 100 pending, and more than 10 failed', async () => {
    await world.query(`select interlock.set_queue('low', '{"is_paused": true}')`)
    await world.enqueue(...Array.from({ length: 100 }, (_, n) => ({ id: `deep-${n}`, queue: 'low' })))
    await world.enqueue(...Array.from({ length: 11 }, (_, n) => ({ id: `fails-${n}` })))
    for (const job of await given(11)) await world.fail(job, 'never')
    const rules = async () => (await door.get('/alarms')).json.alarms.map(({ rule }: { rule: string }) => rule).sort()
    await waitFor(async () => (await rules()).length === 2, { what: 'what failed to be alarming' })
    expect(await rules()).toEqual(['dead_letter', 'failed_jobs'])
    await world.enqueue({ id: 'deep-100', queue: 'low' })
    await waitFor(async () => (await rules()).includes('queue_depth'), { what: 'the depth to be alarming' })
    expect((await scrape(door)).value('alarms', { rule: 'queue_depth' })).toBe(1)
  })

  test('a webhook that does not answer holds up neither jobs nor the end of a coordinator', async () => {
    receiver.react('silence')
    const before = receiver.received.length
    await world.enqueue({ id: 'late', queue: 'high', user: 'ann' })
    // Its dead letters are no longer new, and that is told.
    await world.test.advanceClock(400)
    await waitFor(async () => receiver.received.length > before, { what: 'a message to be on its way' })
    await waitFor(async () => (await world.status('late')) === 'assigned', { what: 'the job to be given out' })
    const startedMs = performance.now()
    await Promise.all(fleet.map((coordinator) => coordinator.stop()))
    expect(performance.now() - startedMs).toBeLessThan(5000)
    const [left] = await world.query<{ waiting: number }>('select count(*) as waiting from interlock.alarm_deliveries')
    expect(left?.waiting).toBeGreaterThan(0)
  })
})

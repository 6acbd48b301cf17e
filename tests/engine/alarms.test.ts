import { createHmac } from 'node:crypto'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { AlarmWatch } from '../../src/coordinator/alarm-watch.ts'
import { isPublicAddress } from '../../src/coordinator/public-address.ts'
import { Webhook } from '../../src/coordinator/webhook.ts'
import { createLogger, createSilentLogger } from '../../src/observability/logger.ts'
import { type AlarmNews, listAlarms, settleAlarms } from '../../src/store/alarms.ts'
import { waitFor } from '../support/wait-for.ts'
import { EngineWorld } from './engine-world.ts'
import { openWebhookReceiver, testSecret, type WebhookReceiver } from './webhook-receiver.ts'

let world: EngineWorld

const quiet = {
  queue_depth: null,
  failed_jobs: null,
  dead_letter_seconds: null,
  oldest_wait_seconds: null,
  unserved_seconds: null,
  old_snapshot_seconds: null,
}
const set = (policy: object) => world.query('select interlock.set_alarm_policy($1)', [JSON.stringify(policy)])
const look = async (): Promise<readonly string[]> =>
  (await settleAlarms(world.test.database, 0)).map(({ event, rule, subject }: AlarmNews) =>
    `${event} ${rule} ${subject}`.trim(),
  )
const alarming = async () =>
  (
    await world.query<{ at: string }>(
      `select trim(rule || ' ' || subject) as at from interlock.alarms order by rule, subject`,
    )
  ).map(({ at }) => at)

beforeAll(async () => {
  world = await EngineWorld.create()
})

/** Nothing is left of the test before, and nothing is watched but what the test sets. */
beforeEach(async () => {
  await world.query('select interlock.delete_job(id) from interlock.jobs where held is null')
  await set({ ...quiet, clear_seconds: 0, is_delivered: false })
  await look()
  expect(await listAlarms(world.test.database)).toEqual([])
})

const failOne = async (id: string) => {
  await world.enqueue({ id })
  const [job] = await world.claim()
  if (job === undefined) throw new Error('nothing to fail')
  await world.fail(job, 'never')
}

describe('what is alarming', () => {
  test('a queue with more pending jobs than the bound, and not one with as many', async () => {
    await set({ queue_depth: 3 })
    await world.enqueue({ id: 'd1' }, { id: 'd2' }, { id: 'd3' }, { queue: 'low', id: 'd4' })
    expect(await alarming()).toEqual([])
    await world.enqueue({ id: 'd5' })
    expect(await alarming()).toEqual(['queue_depth default'])
  })

  test('more failed jobs within the window than the bound, until somebody deals with them or they grow old', async () => {
    await set({ failed_jobs: 2, failed_window_seconds: 600 })
    for (const id of ['f1', 'f2']) await failOne(id)
    expect(await alarming()).toEqual([])
    await failOne('f3')
    expect(await alarming()).toEqual(['failed_jobs default'])
    await world.query(`select interlock.delete_job('f3')`)
    expect(await alarming()).toEqual([])
    await world.test.advanceClock(601)
    await failOne('f4')
    expect(await alarming()).toEqual([])
  })

  test('a new dead letter, for as long as it is new', async () => {
    await set({ dead_letter_seconds: 300 })
    await failOne('n1')
    expect(await alarming()).toEqual(['dead_letter default'])
    await world.test.advanceClock(301)
    expect(await alarming()).toEqual([])
  })

  test('a job that waits beyond the bound; not one that was tried again just now, nor one of a paused queue', async () => {
    await set({ oldest_wait_seconds: 100 })
    await world.enqueue({ id: 'w1' })
    const [job] = await world.claim()
    await world.test.advanceClock(200)
    if (job === undefined) throw new Error('nothing was claimed')
    await world.fail(job, 'now')
    expect(await world.status('w1')).toBe('pending')
    expect(await alarming()).toEqual([])
    await world.test.advanceClock(300)
    expect(await alarming()).toEqual(['oldest_wait default'])
    await world.query(`select interlock.set_queue('default', '{"is_paused": true}')`)
    expect(await alarming()).toEqual([])
    await world.query(`select interlock.set_queue('default', '{"is_paused": false}')`)
  })

  test('a route that no agent alive serves, though another route of the queue has one', async () => {
    await set({ unserved_seconds: 30 })
    await world.enqueue({ id: 'r1', permission_level: 'supervised' }, { id: 'r2' })
    await world.test.advanceClock(31)
    expect(await alarming()).toEqual(['no_agent default/supervised'])
  })

  test('a transaction that keeps the past alive, without what its session says', async () => {
    await set({ old_snapshot_seconds: 60 })
    const session = await world.test.database.connect()
    try {
      await session.query('begin isolation level repeatable read')
      await session.query(`select 'a planted secret' from interlock.jobs`)
      await world.test.advanceClock(61)
      const rows = await world.query<{ message: string }>('select message from interlock.alarms')
      expect(rows).toHaveLength(1)
      expect(rows[0]?.message).toMatch(/^session \d+ keeps the past alive for/)
      expect(JSON.stringify(rows)).not.toContain('secret')
    } finally {
      await session.close()
    }
    await waitFor(async () => (await alarming()).length === 0, { what: 'the session to be gone' })
  })
})

describe('settle_alarms', () => {
  test('says an alarm once when it is raised and once when it is over, in the log too', async () => {
    await set({ queue_depth: 1 })
    await world.enqueue({ id: 's1' }, { id: 's2' })
    expect(await look()).toEqual(['raised queue_depth default'])
    expect(await look()).toEqual([])
    expect(await listAlarms(world.test.database)).toMatchObject([
      { rule: 'queue_depth', subject: 'default', value: 2, bound: 1 },
    ])
    await world.enqueue({ id: 's3' })
    expect(await look()).toEqual([])
    expect(await listAlarms(world.test.database)).toMatchObject([{ value: 3 }])
    await world.query(`select interlock.cancel_job(id) from interlock.jobs where id in ('s1', 's2')`)
    expect(await look()).toEqual(['cleared queue_depth default'])
    expect(await look()).toEqual([])
    const logged = await world.query<{ event_type: string; details: { rule: string } }>(
      `select event_type, details from interlock.job_queue_log where event_type like 'alarm_r%' or event_type like 'alarm_c%' order by id desc limit 2`,
    )
    expect(logged.map(({ event_type }) => event_type)).toEqual(['alarm_cleared', 'alarm_raised'])
    expect(logged.every(({ details }) => details.rule === 'queue_depth')).toBe(true)
  })

  test('an alarm that comes and goes is said once', async () => {
    await set({ queue_depth: 0, clear_seconds: 30 })
    await world.enqueue({ id: 'g1' })
    expect(await look()).toEqual(['raised queue_depth default'])
    for (const id of ['g2', 'g3']) {
      await world.query('select interlock.cancel_job(id) from interlock.jobs where held is null')
      await world.test.advanceClock(20)
      expect(await look()).toEqual([])
      await world.enqueue({ id })
      expect(await look()).toEqual([])
    }
    await world.query('select interlock.cancel_job(id) from interlock.jobs where held is null')
    await world.test.advanceClock(31)
    expect(await look()).toEqual(['cleared queue_depth default'])
  })

  test('of several coordinators one looks: who comes meanwhile does not wait, and says nothing', async () => {
    await set({ queue_depth: 0 })
    await world.enqueue({ id: 'o1' })
    const [first, second] = await Promise.all([world.test.database.connect(), world.test.database.connect()])
    try {
      await first.query('begin')
      expect(await settleAlarms(first, 0)).toHaveLength(1)
      expect(await settleAlarms(second, 0)).toEqual([])
      await first.query('commit')
      // Looked at a moment ago: the next look is for later.
      expect(await settleAlarms(second, 3600)).toEqual([])
      expect(await settleAlarms(second, 0)).toEqual([])
    } finally {
      await first.close()
      await second.close()
    }
    expect(await listAlarms(world.test.database)).toHaveLength(1)
  })
})

describe('set_alarm_policy', () => {
  test.each([
    [{ queue_depht: 5 }, 'queue_depht'],
    [{ queue_depth: -1 }, 'queue_depth'],
    [{ queue_depth: 1.5 }, 'queue_depth'],
    [{ failed_window_seconds: null }, 'failed_window_seconds'],
    [{ is_delivered: 1 }, 'is_delivered'],
    [{ oldest_wait_seconds: 'long' }, 'oldest_wait_seconds'],
  ])('refuses %j by name', async (policy, field) => {
    expect(await world.refusal('select interlock.set_alarm_policy($1)', [JSON.stringify(policy)])).toEqual({
      code: 'invalid_argument',
      field,
    })
  })
})

describe('the webhook', () => {
  let receiver: WebhookReceiver
  beforeAll(async () => {
    receiver = await openWebhookReceiver()
  })
  afterAll(() => receiver.close())

  const message = { id: 'm-1', type: 'alarm.raised', at: new Date(0), data: { rule: 'queue_depth' } }
  const never = new AbortController().signal
  const send = (options = {}) => new Webhook({ ...receiver.options, ...options }).send(message, never)

  test('signs what it sends, as Standard Webhooks has it', async () => {
    expect(await send()).toBeNull()
    const { headers, body } = receiver.received.at(-1) ?? { headers: {} as Record<string, string>, body: '' }
    const key = Buffer.from(testSecret.slice('whsec_'.length), 'base64')
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
    expect(headers['webhook-id']).toBe('m-1')
    expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60)
    expect(JSON.parse(body)).toEqual({
      type: 'alarm.raised',
      timestamp: '1970-01-01T00:00:00.000Z',
      data: { rule: 'queue_depth' },
    })
  })

  test('reaches no address but public ones, by name or by number', async () => {
    const port = new URL(receiver.options.url).port
    const before = receiver.received.length
    const { isAllowed: _, ...real } = receiver.options
    for (const host of [
      'localhost',
      '127.0.0.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '2130706433',
      '0x7f.1',
      '169.254.169.254',
      '10.0.0.7',
    ]) {
      const problem = await new Webhook({ ...real, url: `https://${host}:${port}/` }).send(message, never)
      expect(problem, host).toMatch(/is not a public address$/)
    }
    expect(await send({ url: `http://localhost:${port}/` })).toBe('a webhook is sent by https only')
    expect(receiver.received).toHaveLength(before)
  })

  test.each([
    ['8.8.8.8', true],
    ['2606:4700:4700::1111', true],
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['172.16.0.1', false],
    ['192.168.1.1', false],
    ['100.64.0.1', false],
    ['169.254.169.254', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['::1', false],
    ['fe80::1', false],
    ['fd00::1', false],
    ['::ffff:10.0.0.1', false],
    ['64:ff9b::a00:1', false],
    ['2002:a00:1::', false],
    ['not an address', false],
  ])('%s is public: %s', (address, expected) => {
    expect(isPublicAddress(address)).toBe(expected)
  })

  test('trusts no certificate that nobody vouches for, follows no redirect, waits no longer than its deadline', async () => {
    const { ca: _, ...untrusting } = receiver.options
    expect(await new Webhook(untrusting).send(message, never)).toMatch(/self.signed certificate/)
    receiver.react(302)
    const before = receiver.received.length
    expect(await send()).toBe('the receiver answered 302')
    expect(receiver.received).toHaveLength(before + 1)
    receiver.react('silence')
    expect(await send({ deadlineSeconds: 0.3 })).toBe('the receiver did not answer in time')
    receiver.react(204)
  })

  test('says each alarm once, again where it did not arrive, and with the same id', async () => {
    const logged: Record<string, unknown>[] = []
    const destination = new Writable({
      write(chunk, _encoding, done) {
        logged.push(JSON.parse(String(chunk)))
        done()
      },
    })
    const watch = (logger = createLogger({ destination })) =>
      new AlarmWatch({ database: world.test.database, logger, webhook: receiver.options, intervalSeconds: 0 })
    const [one, other] = [watch(), watch()]
    await set({ queue_depth: 0, is_delivered: true })
    await world.enqueue({ id: 'h1' })
    const before = receiver.received.length
    receiver.react(500, 204)
    await Promise.all([one.look(), other.look()])
    await Promise.all([one.deliver(), other.deliver()])
    expect(receiver.received).toHaveLength(before + 1)
    // It comes again after its wait, and not before.
    await one.deliver()
    expect(receiver.received).toHaveLength(before + 1)
    await world.test.advanceClock(61)
    await Promise.all([one.deliver(), other.deliver()])
    await world.test.advanceClock(7200)
    await Promise.all([one.deliver(), other.deliver()])
    const [first, second, ...more] = receiver.received.slice(before)
    expect(more).toEqual([])
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(JSON.parse(second?.body ?? '')).toMatchObject({
      type: 'alarm.raised',
      data: { rule: 'queue_depth', subject: 'default', value: 1, bound: 0 },
    })
    expect(logged.filter(({ event }) => event === 'alarm.raised')).toMatchObject([
      { level: 'warn', rule: 'queue_depth' },
    ])
    expect(JSON.stringify(logged)).not.toContain('a-secret-path')
  })

  test('is given up after ten attempts, which the log says, and holds up nobody', async () => {
    const watch = new AlarmWatch({
      database: world.test.database,
      logger: createSilentLogger(),
      webhook: receiver.options,
    })
    receiver.react(503)
    const before = receiver.received.length
    await set({ queue_depth: 0, is_delivered: true })
    await world.enqueue({ id: 'u1' })
    await look()
    for (let round = 0; round < 12; round++) {
      await watch.deliver()
      await world.test.advanceClock(5401)
    }
    expect(receiver.received).toHaveLength(before + 10)
    expect(await world.query('select from interlock.alarm_deliveries')).toEqual([])
    const [given] = await world.query<{ conflict_reason: string; details: { attempts: number } }>(
      `select conflict_reason, details from interlock.job_queue_log where event_type = 'alarm_undelivered'`,
    )
    expect(given).toMatchObject({ conflict_reason: 'the receiver answered 503', details: { attempts: 10 } })
    receiver.react(204)
  })

  test('a coordinator that dies with a message in hand leaves it to another', async () => {
    await set({ queue_depth: 0, is_delivered: true })
    await world.enqueue({ id: 'x1' })
    await look()
    const before = receiver.received.length
    await world.query('select from interlock.take_alarm_deliveries()')
    const watch = new AlarmWatch({
      database: world.test.database,
      logger: createSilentLogger(),
      webhook: receiver.options,
    })
    await watch.deliver()
    expect(receiver.received).toHaveLength(before)
    await world.test.advanceClock(61)
    await watch.deliver()
    expect(receiver.received).toHaveLength(before + 1)
  })
})

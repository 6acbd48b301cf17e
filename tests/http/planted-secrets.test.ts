import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventLoopWatch } from '../../src/http/readiness.ts'
import { allRoutes } from '../../src/http/routes/all-routes.ts'
import type { Services } from '../../src/http/services.ts'
import { createLogger } from '../../src/observability/logger.ts'
import { KeyRing } from '../../src/security/key-ring.ts'
import type { Connection } from '../../src/store/connection.ts'
import { createKey } from '../../src/store/keys.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { rightRequests } from '../refusals/requests.ts'
import { setScene } from '../refusals/scene.ts'
import { type HttpDoor, openHttpDoor, type Reply } from './http-door.ts'

// Secrets are planted and everything is asked, rightly and wrongly: nothing that leaves the process, and nothing that is
// stored, may have one. A new route is asked as soon as it has a right request in tests/refusals/requests.ts.

const inPayload = 'planted-in-a-payload-7f3a'
const password = 'planted-password-91bc'
const ringKey = randomBytes(32).toString('base64')

let world: EngineWorld
let door: HttpDoor
let ears: Connection
let key: string
const replies: Reply[] = []
const heard: string[] = []

const bearer = () => ({ authorization: `Bearer ${key}` })
/** All of what must not be found: the key as a whole and its secret alone. */
const secrets = () => [key, key.slice(-43), inPayload, password, ringKey]
const found = (text: string) => secrets().filter((secret) => text.includes(secret))

async function ask(method: string, path: string, body?: unknown, headers = bearer()): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const reply = await door.send(method, path, {
    headers: {
      ...headers,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: text ?? '' }),
  })
  replies.push(reply)
  return reply
}

beforeAll(async () => {
  world = await EngineWorld.create()
  const scene = await setScene(world)
  key = (await createKey(world.test.database, { name: 'holder', scopes: ['admin'] }, { actor: 'the test' })).key
  door = await openHttpDoor(world.test, {
    keys: 'required',
    encryption: { ring: KeyRing.parse(`k1:${ringKey}`), tasks: ['sign'], queues: [] },
  })
  ears = await world.test.database.connect()
  for (const channel of ['interlock_agent', 'jobs:insert']) {
    await ears.listen(channel, (payload) => void heard.push(payload))
  }

  const payload = { card: inPayload }
  for (const id of ['sealed', 'sealed-too']) {
    expect((await ask('POST', '/jobs', { task: 'sign', id, payload, models: ['sdxl'] })).status).toBe(201)
  }
  await ask('POST', '/jobs', { task: 'sign', id: 'sealed', payload })
  await ask('POST', '/jobs', { task: 'sign', payload, nonsense: true })
  await ask('POST', '/jobs', { task: 'sign', encrypt: 'yes', payload })
  await ask('POST', '/jobs/batch', { jobs: [{ task: 'sign', payload }, { task: '' }] })
  // Keys in places where no key belongs.
  await ask('GET', `/jobs/${key}`)
  await ask('GET', `/${key}`)
  await ask('GET', `/jobs?nonsense=${key}`)
  await ask('DELETE', `/keys/${key}`)
  await ask('POST', `/keys/${key}/rotate`, {})
  await ask('POST', '/jobs/sealed/cancel', { reason: `with ${key}`, actor: key })
  await ask('POST', '/jobs/nobody/cancel', { reason: `postgres://u:${password}@db/x` })
  await ask('GET', '/jobs', undefined, { authorization: `Bearer ${key.slice(0, -1)}!` })
  await ask('GET', '/jobs', undefined, { authorization: `Basic ${key}` })
  const requests = rightRequests(scene)
  for (const { method, path, scope } of allRoutes({} as Services, {} as EventLoopWatch)) {
    const right = requests[`${method} ${path}`]
    if (right === undefined || (method !== 'GET' && scope === 'admin')) continue
    // Whoever claims a job is the one that its payload is for.
    if (path === '/agents/:id/claim') continue
    const query = right.query === undefined ? '' : `?${new URLSearchParams(right.query)}`
    await ask(method, `${right.path}${query}`, method === 'GET' ? undefined : (right.body ?? {}))
  }
  for (const path of ['/jobs/sealed', '/jobs/sealed-too', '/jobs/sealed-too/explain', '/jobs/sealed-too/timeline'])
    await ask('GET', path)
})
afterAll(async () => {
  await ears.close()
  await door.server.stop()
})

describe('a planted secret', () => {
  test('is in no answer', () => {
    expect(replies.length).toBeGreaterThan(60)
    expect(replies.filter(({ text }) => found(text).length > 0).map(({ text }) => text.slice(0, 300))).toEqual([])
    expect(replies.filter(({ headers }) => found(JSON.stringify([...headers])).length > 0)).toEqual([])
  })

  test('is in no line of the log', () => {
    expect(door.logged.length).toBeGreaterThan(20)
    expect(door.logged.filter((line) => found(JSON.stringify(line)).length > 0)).toEqual([])
  })

  test('is in no notification', async () => {
    // Its own goes last: what was sent before has come.
    const done = Promise.withResolvers<void>()
    await ears.listen('the_end', () => done.resolve())
    await world.query(`select pg_notify('the_end', '')`)
    await done.promise
    expect(found(heard.join('\n'))).toEqual([])
  })

  test('is in no table: not in the rows of jobs, their log, their history, the audit, or the doorbell', async () => {
    const tables = await world.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
       where n.nspname in ('interlock', 'graphile_worker') and c.relkind = 'r'`,
    )
    expect(tables.length).toBeGreaterThan(20)
    for (const { name } of tables) {
      const [row] = await world.query<{ text: string | null }>(
        `select string_agg(t::text, ' ') as text from ${name} as t`,
      )
      expect(found(row?.text ?? ''), name).toEqual([])
    }
  })

  test('in what others say is taken out of it: an address, a row that Postgres quotes, a cause inside a cause', () => {
    const lines: string[] = []
    const logger = createLogger({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } })
    const refusal = Object.assign(new Error('new row violates check constraint'), {
      severity: 'ERROR',
      code: '23514',
      detail: `Failing row contains (a1, {"card": "${inPayload}"}).`,
      where: `SQL statement "insert … ${inPayload}"`,
    })
    logger.error({ error: refusal }, 'it failed')
    logger.error({ err: new AggregateError([refusal], 'both failed') }, 'it failed')
    logger.error(
      { error: new Error('outer', { cause: new Error(`no server at postgres://u:${password}@db/x`) }) },
      'it failed',
    )
    logger.info({ address: `postgresql://u:${password}@db:5432/x?password=${password}` }, `asked with ${key}`)
    logger.info(`the header was Bearer ${key}`)
    expect(lines).toHaveLength(5)
    expect(lines.map(found)).toEqual([[], [], [], [], []])
    expect(lines.join('')).toContain('23514')
  })
})

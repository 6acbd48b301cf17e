import { Agent, request as send } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventLoopWatch } from '../../src/http/readiness.ts'
import { allRoutes } from '../../src/http/routes/all-routes.ts'
import type { Services } from '../../src/http/services.ts'
import { refusalOf } from '../../src/security/permission.ts'
import { allows, type Scope, scopes } from '../../src/security/scopes.ts'
import { createKey, revokeKey, rotateKey } from '../../src/store/keys.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { type RightRequest, rightRequests } from '../refusals/requests.ts'
import { setScene } from '../refusals/scene.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor, type Reply } from './http-door.ts'

// Every route, and everybody who may come to it. What is needed is read off the routes; what each scope lets in is written
// down here once more, by hand: a table that was computed by the code under test would agree with it whatever it said.

const routes = allRoutes({} as Services, {} as EventLoopWatch)

const lets: Readonly<Record<Scope, readonly Scope[]>> = {
  read: ['read'],
  enqueue: ['enqueue'],
  work: ['work'],
  operate: ['operate', 'read', 'enqueue'],
  admin: ['admin', 'operate', 'work', 'read', 'enqueue'],
}

const openToAll = ['GET /livez', 'GET /readyz']

let world: EngineWorld
let door: HttpDoor
let requests: Readonly<Record<string, RightRequest>>
const keys = new Map<string, string>()
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const by = { actor: 'the test' }

async function makeKey(name: string, held: readonly Scope[], expires?: number): Promise<{ id: string; key: string }> {
  const request = { name, scopes: [...held], ...(expires === undefined ? {} : { expires_in_seconds: expires }) }
  return createKey(world.test.database, request, by)
}

beforeAll(async () => {
  world = await EngineWorld.create({ clock: 'movable' })
  requests = rightRequests(await setScene(world))
  door = await openHttpDoor(world.test, { keys: 'required' })
  for (const scope of scopes) keys.set(scope, (await makeKey(scope, [scope])).key)
  keys.set('expired', (await makeKey('expired', ['admin'], 1)).key)
  const revoked = await makeKey('revoked', ['admin'])
  keys.set('revoked', revoked.key)
  await revokeKey(world.test.database, revoked.id, by)
  keys.set('wrong', `${keys.get('admin')?.slice(0, -1)}${keys.get('admin')?.endsWith('A') ? 'B' : 'A'}`)
  keys.set('unknown', `il_nobody000000_${'x'.repeat(43)}`)
  await world.test.advanceClock(2)
})
afterAll(() => door.server.stop())

/** The right request of a route, but for its body: what is not let in is refused before that is read. */
function ask(route: string, headers: Readonly<Record<string, string>>): Promise<Reply> {
  const [method = ''] = route.split(' ')
  const { path, query } = requests[route] ?? { path: '' }
  const search = query === undefined ? '' : `?${new URLSearchParams(query)}`
  const isRead = method === 'GET'
  return door.send(method, `${path}${search}`, {
    // What streams for ever answers who accepts no more than that with one page.
    headers: { ...headers, accept: 'application/json', ...(isRead ? {} : { 'content-type': 'application/json' }) },
    ...(isRead ? {} : { body: '{not json' }),
  })
}

const described = routes.map(({ method, path, scope }) => ({ route: `${method} ${path}`, scope }))

describe('every route × everybody', () => {
  test('each names a scope, and only the probes are open', () => {
    expect(described.filter(({ scope }) => ![...scopes, 'key', 'open'].includes(scope))).toEqual([])
    expect(described.filter(({ scope }) => scope === 'open').map(({ route }) => route)).toEqual(openToAll)
  })

  test('what changes something is not for readers, and keys are for administrators alone', () => {
    const changes = described.filter(({ route }) => !route.startsWith('GET '))
    expect(changes.filter(({ scope }) => scope === 'read' || scope === 'open')).toEqual([])
    const secret = described.filter(({ route }) => / \/(keys|audit)(\/|$)/.test(route))
    expect(secret.map(({ scope }) => scope)).toEqual(Array(5).fill('admin'))
  })

  test.for(described)('$route, which needs $scope', async ({ route, scope }) => {
    expect(requests[route], 'a right request in tests/refusals/requests.ts').toBeDefined()
    for (const who of ['nobody', 'expired', 'revoked', 'wrong', 'unknown', 'malformed']) {
      const key = who === 'malformed' ? 'il_x' : keys.get(who)
      const reply = await ask(route, key === undefined ? {} : bearer(key))
      if (scope === 'open') {
        expect(reply.status, who).toBeLessThan(500)
        continue
      }
      expect({ who, status: reply.status, code: reply.json?.code }).toEqual({
        who,
        status: 401,
        code: 'not_authenticated',
      })
      expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer /)
    }
    for (const held of scopes) {
      const reply = await ask(route, bearer(keys.get(held) ?? ''))
      if (scope === 'open' || scope === 'key' || lets[held].includes(scope)) {
        expect([401, 403], `${held}: ${reply.text}`).not.toContain(reply.status)
        expect(reply.status, `${held}: ${reply.text}`).toBeLessThan(500)
      } else {
        expect({ held, status: reply.status, code: reply.json?.code }).toEqual({
          held,
          status: 403,
          code: 'not_permitted',
        })
        expect(reply.json.detail).toContain(`scope ${scope}`)
      }
    }
  })

  test('a path written in another way is guarded as the route that it leads to', async () => {
    for (const path of ['/JOBS', '/jobs/', '/Jobs/waiting', '/jobs/%77aiting', '/keys/', '/KEYS']) {
      expect({ path, status: (await door.get(path)).status }).toEqual({ path, status: 401 })
    }
    expect((await door.send('HEAD', '/jobs')).status).toBe(401)
  })

  test('what a scope includes is the same for one who asks the table alone', () => {
    for (const held of scopes) {
      expect(scopes.filter((scope) => allows([held], scope)).sort()).toEqual([...lets[held]].sort())
    }
    const key = { kind: 'key', id: 'k', name: 'ann', scopes: ['read'] } as const
    expect(refusalOf('key', key)).toBeNull()
    expect(refusalOf('key', { kind: 'nobody', why: 'missing', keyId: null })?.code).toBe('not_authenticated')
  })
})

describe('a key', () => {
  test('is not asked for on loopback, and is on any other address', async () => {
    const loopback = await openHttpDoor(world.test)
    expect((await loopback.get('/jobs')).status).toBe(200)
    await loopback.server.stop()
    const open = await openHttpDoor(world.test, { host: '0.0.0.0' })
    const url = open.url.replace('0.0.0.0', '127.0.0.1')
    expect((await fetch(`${url}/jobs`)).status).toBe(401)
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await fetch(`${url}/jobs`, { headers: bearer(keys.get('read') ?? '') })).status).toBe(200)
    await open.server.stop()
    const insecure = await openHttpDoor(world.test, { host: '0.0.0.0', keys: 'off' })
    expect((await fetch(`${insecure.url.replace('0.0.0.0', '127.0.0.1')}/jobs`)).status).toBe(200)
    await insecure.server.stop()
  })

  test('that is revoked is good for nothing a second later, also where it was just used', async () => {
    const { id, key } = await makeKey('leaving', ['read'])
    expect((await door.get('/jobs', bearer(key))).status).toBe(200)
    const revokedAt = performance.now()
    const reply = await door.send('DELETE', `/keys/${id}`, { headers: bearer(keys.get('admin') ?? '') })
    expect(reply.json).toMatchObject({ id, name: 'leaving', state: 'revoked' })
    await waitFor(async () => (await door.get('/jobs', bearer(key))).status === 401, { what: 'the key to be refused' })
    expect(performance.now() - revokedAt).toBeLessThan(2000)
    expect((await door.get('/jobs', bearer(key))).json.detail).toBe('this key was revoked')
  })

  test('that is revoked ends the streams and waits that were begun with it, and no others', async () => {
    const { id, key } = await makeKey('going', ['read', 'work'])
    const staying = await makeKey('staying', ['read'])
    const registered = await door.post('/agents', { name: 'of-going', queues: ['default'] }, bearer(key))
    const leaving = new AbortController()
    const events = (by: string) =>
      fetch(`${door.url}/events`, {
        headers: { ...bearer(by), accept: 'text/event-stream' },
        signal: leaving.signal,
      })
    const [hers, others] = await Promise.all([events(key), events(staying.key)])
    const wait = door.post(`/agents/${registered.json.agent_id}/claim?wait_seconds=60`, {}, bearer(key))
    const revokedAt = performance.now()
    await revokeKey(world.test.database, id, by)
    const reply = await wait
    expect([reply.status, reply.json.detail]).toEqual([401, 'this key was revoked'])
    await hers.text()
    expect(performance.now() - revokedAt).toBeLessThan(5000)

    await door.post('/jobs', { task: 't', id: 'after-going', user: 'gina' }, bearer(keys.get('enqueue') ?? ''))
    const reader = others.body?.getReader()
    let told = ''
    while (!told.includes('after-going')) told += new TextDecoder().decode((await reader?.read())?.value)
    leaving.abort()
    await reader?.cancel().catch(() => undefined)
    const [job] = await world.test.query(`select status, agent_id from interlock.jobs where id = 'after-going'`)
    expect(job).toEqual({ status: 'pending', agent_id: null })
  })

  test('that is rotated is good with both secrets until the overlap is over, then with the new one', async () => {
    const { id, key } = await makeKey('turning', ['read'])
    const rotated = await door.post(`/keys/${id}/rotate`, { overlap_seconds: 60 }, bearer(keys.get('admin') ?? ''))
    expect(rotated.headers.get('cache-control')).toBe('no-store')
    const next: string = rotated.json.key
    expect(next).toMatch(new RegExp(`^il_${id}_[A-Za-z0-9_-]{43}$`))
    expect((await door.get('/jobs', bearer(key))).status).toBe(200)
    expect((await door.get('/jobs', bearer(next))).status).toBe(200)
    await world.test.advanceClock(61)
    await waitFor(async () => (await door.get('/jobs', bearer(key))).status === 401, { what: 'the overlap to end' })
    expect((await door.get('/jobs', bearer(next))).status).toBe(200)
    // One that has leaked is turned without any.
    await rotateKey(world.test.database, id, { overlap_seconds: 0 }, by)
    await waitFor(async () => (await door.get('/jobs', bearer(next))).status === 401, { what: 'it to be refused' })
  })

  test('is whom the log names, whatever the call claims', async () => {
    const reply = await door.post(
      '/jobs/waiting/cancel',
      { actor: 'somebody else', reason: 'enough' },
      bearer(keys.get('operate') ?? ''),
    )
    expect(reply.status).toBe(200)
    const [event] = await world.query(
      `select actor from interlock.job_queue_log where job_id = 'waiting' and event_type = 'cancelled'`,
    )
    expect(event).toEqual({ actor: 'operate' })
    const [line] = await world.query(
      `select actor, key_id = (select id from interlock.api_keys where name = 'operate') as is_its, operation, subject, outcome, reason, request_id
       from interlock.audit_log where subject = 'waiting' and outcome = 'done'`,
    )
    expect(line).toEqual({
      actor: 'operate',
      is_its: true,
      operation: 'POST /jobs/:id/cancel',
      subject: 'waiting',
      outcome: 'done',
      reason: 'enough',
      request_id: reply.headers.get('x-request-id'),
    })
  })

  test('is needed before a body is read: a megabyte of one is refused at its headers', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const agent = new Agent()
      const call = send(`${door.url}/jobs`, {
        agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 1_000_000 },
      })
      call.on('response', (response) => {
        resolve(response.statusCode)
        call.destroy()
      })
      call.on('error', reject)
      // Nothing of the body is ever sent.
      call.flushHeaders()
    })
    expect(status).toBe(401)
  })
})

describe('the audit', () => {
  const admin = () => bearer(keys.get('admin') ?? '')
  const linesOf = async (query: string) => (await door.get(`/audit?${query}`, admin())).json.lines

  test('has a refusal for lack of a scope, and one of a bad key, and none of nobody', async () => {
    await door.post('/jobs/dead/requeue', undefined, bearer(keys.get('read') ?? ''))
    const [refused] = await linesOf('actor=read&limit=1')
    expect(refused).toMatchObject({
      operation: 'POST /jobs/:id/requeue',
      subject: 'dead',
      outcome: 'refused',
      code: 'not_permitted',
      reason: 'the key read has not the scope operate',
    })
    const nobodies = await linesOf('actor=nobody&limit=1000')
    expect(nobodies.length).toBeLessThanOrEqual(60)
    expect(nobodies.map(({ key_id: id }: { key_id: string | null }) => id)).not.toContain(null)
  })

  test('has no line of what holders, applications and readers do', async () => {
    const operations = new Set(
      (
        await world.query<{ operation: string }>(
          `select distinct operation from interlock.audit_log where outcome = 'done'`,
        )
      ).map(({ operation }) => operation),
    )
    const quiet = described.filter(({ scope }) => ['read', 'enqueue', 'work', 'open'].includes(scope))
    expect(quiet.filter(({ route }) => operations.has(route))).toEqual([])
  })

  test('has a line of each change of a key, and pages that give each line once', async () => {
    const made = await door.post('/keys', { name: 'new', scopes: ['read'] }, admin())
    expect(made.status).toBe(201)
    await door.post(`/keys/${made.json.id}/rotate`, {}, admin())
    await door.send('DELETE', `/keys/${made.json.id}`, { headers: admin() })
    const lines = await linesOf(`subject=${made.json.id}`)
    expect(lines.map(({ operation, actor }: { operation: string; actor: string }) => [operation, actor])).toEqual([
      ['revoke_key', 'admin'],
      ['rotate_key', 'admin'],
      ['create_key', 'admin'],
    ])
    const seen: number[] = []
    for (let cursor = ''; ; ) {
      const page = (await door.get(`/audit?actor=admin&limit=3${cursor}`, admin())).json
      seen.push(...page.lines.map(({ id }: { id: number }) => id))
      if (page.next_cursor === null || seen.length > 30) break
      cursor = `&cursor=${page.next_cursor}`
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(seen.toSorted((one, other) => other - one))
  })

  test('cannot be changed, and neither can the log', async () => {
    for (const table of ['audit_log', 'job_queue_log']) {
      const time = 'created_at = now()'
      for (const change of [
        `update interlock.${table} set ${time}`,
        `delete from interlock.${table}`,
        `truncate interlock.${table}`,
      ]) {
        await expect(world.query(change), change).rejects.toMatchObject({ code: 'not_permitted' })
      }
    }
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobRequestFields } from '../../src/domain/job-request.ts'
import type { EventLoopWatch } from '../../src/http/readiness.ts'
import { allRoutes } from '../../src/http/routes/all-routes.ts'
import type { Services } from '../../src/http/services.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor, type Reply } from '../http/http-door.ts'
import { badFields, badParameters, badPathParts } from './bad-values.ts'
import { type RightRequest, rightRequests } from './requests.ts'
import { setScene } from './scene.ts'

// The same at the door of HTTP: what is wrong is answered with a problem that names it, never with a 5xx, and changes
// nothing.

const routes = allRoutes({} as Services, {} as EventLoopWatch).map(({ method, path }) => `${method} ${path}`)

let world: EngineWorld
let door: HttpDoor
let requests: Readonly<Record<string, RightRequest>>

beforeAll(async () => {
  world = await EngineWorld.create()
  requests = rightRequests(await setScene(world))
  door = await openHttpDoor(world.test)
})

afterAll(() => door.server.stop())

/** What a refused request may not have changed. */
async function state(): Promise<string> {
  const [row] = await world.query<{ digest: string }>(
    `select md5(concat(
       (select string_agg(j::text, '' order by j.id) from interlock.jobs as j),
       (select string_agg(q::text, '' order by q.name) from interlock.queues as q),
       (select string_agg(l::text, '' order by l.pattern) from interlock.resource_limits as l),
       (select string_agg(a::text, '' order by a.id) from interlock.agent_stats as a),
       (select count(*) from interlock.job_queue_log), (select count(*) from interlock.task_history))) as digest`,
  )
  return row?.digest ?? ''
}

let before = ''

/** Asks; answers with what is wrong with the refusal, if anything is. */
async function complaint(method: string, path: string, body?: string): Promise<string | null> {
  const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body }
  const reply: Reply = await door.send(method, path, init)
  const said = `${method} ${path.slice(0, 200)} ${body?.slice(0, 200) ?? ''}: ${reply.status} ${reply.text.slice(0, 200)}`
  const after = await state()
  const isChanged = before !== '' && after !== before
  before = after
  if (reply.status < 400) return null
  if (reply.status >= 500) return said
  // A 409 is no bad input: a lock that could not be had was in line meanwhile, and the log says so.
  if (isChanged && reply.status !== 409) return `${said}: and has changed something`
  return /problem\+json/.test(reply.headers.get('content-type') ?? '') && reply.json.code !== undefined ? null : said
}

test('every route has a right request here', () => {
  expect(Object.keys(requests).sort()).toEqual(routes.sort())
})

describe('every route', () => {
  test.for(routes)('%s refuses what is wrong, and changes nothing', async (route) => {
    const [method = '', pattern = ''] = route.split(' ')
    const { path, query, body } = requests[route] ?? { path: '' }
    const found: (string | null)[] = []
    const withQuery = (parameters: Readonly<Record<string, string>>): string =>
      `${path}?${new URLSearchParams(parameters)}`
    const right = body === undefined ? undefined : JSON.stringify(body)

    for (const name of Object.keys(query ?? {})) {
      for (const bad of badParameters) found.push(await complaint(method, withQuery({ ...query, [name]: bad }), right))
      found.push(await complaint(method, `${withQuery(query ?? {})}&${name}=once&${name}=more`, right))
    }
    if (query !== undefined) {
      const unknown = await door.send(method, withQuery({ ...query, nonsense: '1' }))
      expect({ route, status: unknown.status, field: unknown.json?.field }).toEqual({
        route,
        status: 422,
        field: 'nonsense',
      })
    }
    for (const part of badPathParts) {
      const at = pattern.replace(/:\w+/, part)
      if (at !== pattern) found.push(await complaint(method, at, right))
    }
    if (body !== undefined) {
      const names = route === 'POST /jobs' ? Object.keys(jobRequestFields) : Object.keys(body)
      for (const name of names) {
        const others = JSON.stringify({ ...body, [name]: undefined }).slice(1, -1)
        for (const bad of badFields) {
          found.push(await complaint(method, path, `{${others === '' ? '' : `${others}, `}"${name}": ${bad}}`))
        }
      }
      for (const bad of [...badFields, '', '{', '{"a": 1}}', '[{}]', `{"__proto__": {"task": "work"}}`]) {
        found.push(await complaint(method, path, bad))
      }
      const unknown = await door.send(method, path, {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, nonsense: 1 }),
      })
      expect({ route, status: unknown.status, field: unknown.json?.field }).toEqual({
        route,
        status: 422,
        field: 'nonsense',
      })
    }
    expect(found.filter((text) => text !== null)).toEqual([])
  })
})

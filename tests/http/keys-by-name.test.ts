import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventLoopWatch } from '../../src/http/readiness.ts'
import { allRoutes } from '../../src/http/routes/all-routes.ts'
import type { Services } from '../../src/http/services.ts'
import { allows, type Scope, scopes } from '../../src/security/scopes.ts'
import { createKey } from '../../src/store/keys.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

// Every operation, called by its name with a key of each scope: whoever is let in at /rpc and /mcp may do there what
// the key may do over HTTP, and nothing else.

const operations = allRoutes({} as Services, {} as EventLoopWatch)
  .filter(({ answer }) => answer !== undefined)
  .map(({ name, scope }) => ({ name, scope }))

let world: EngineWorld
let door: HttpDoor
const keys = new Map<Scope, string>()
const bearer = (scope: Scope) => ({ authorization: `Bearer ${keys.get(scope)}` })

/** Refused in any case, for its arguments at the latest: it is who may ask that is asked here. */
const wrongArguments = { x_nonsense_x: {} }

function isLetIn(scope: string, held: Scope): boolean {
  return scope === 'open' || scope === 'key' || allows([held], scope as Scope)
}

beforeAll(async () => {
  world = await EngineWorld.create()
  door = await openHttpDoor(world.test, { keys: 'required' })
  for (const scope of scopes) {
    keys.set(scope, (await createKey(world.test.database, { name: scope, scopes: [scope] }, { actor: 'the test' })).key)
  }
})
afterAll(() => door.server.stop())

describe.each(scopes)('a key for %s', (held) => {
  test('calls by JSON-RPC what it is for, and nothing else', async () => {
    for (const { name, scope } of operations) {
      const request = { jsonrpc: '2.0', id: 1, method: name, params: wrongArguments }
      const { json } = await door.post('/rpc', request, bearer(held))
      const code = json.error?.data?.code ?? null
      expect({ name, isRefused: code === 'not_permitted' }).toEqual({ name, isRefused: !isLetIn(scope, held) })
    }
  })

  test('calls as tools what it is for, and nothing else', async () => {
    const client = new Client({ name: 'test', version: '1' })
    const transport = new StreamableHTTPClientTransport(new URL(`${door.url}/mcp`), {
      requestInit: { headers: bearer(held) },
    })
    await client.connect(transport)
    for (const { name, scope } of operations) {
      const { isError, content } = await client.callTool({ name, arguments: wrongArguments })
      const [said] = content as { text?: string }[]
      const isRefused = isError === true && /"not_permitted"/.test(said?.text ?? '')
      expect({ name, isRefused }).toEqual({ name, isRefused: !isLetIn(scope, held) })
    }
    await client.close()
  })
})

test('without a good key neither door is open', async () => {
  const request = { jsonrpc: '2.0', id: 1, method: 'get_queue_status' }
  for (const headers of [{}, { authorization: 'Bearer il_nobody000000_x' }]) {
    for (const path of ['/rpc', '/mcp']) expect((await door.post(path, request, headers)).status).toBe(401)
  }
})

test('a batch is let in request by request, and what is refused is in the audit', async () => {
  const batch = [
    { jsonrpc: '2.0', id: 1, method: 'enqueue_job', params: { task: 'work', id: 'mine' } },
    { jsonrpc: '2.0', id: 2, method: 'cancel_job', params: { id: 'mine' } },
  ]
  const { json } = await door.post('/rpc', batch, bearer('enqueue'))
  expect(json.find(({ id }: { id: number }) => id === 1)).toMatchObject({ result: { id: 'mine' } })
  expect(json.find(({ id }: { id: number }) => id === 2)).toMatchObject({ error: { data: { code: 'not_permitted' } } })
  expect(
    await world.query(
      `select a.actor, a.operation, a.subject, a.outcome from interlock.audit_log as a where a.subject = 'mine'`,
    ),
  ).toEqual([{ actor: 'enqueue', operation: 'POST /jobs/:id/cancel', subject: 'mine', outcome: 'refused' }])
  expect(await world.query(`select status from interlock.jobs where id = 'mine'`)).toEqual([{ status: 'pending' }])
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { routes } from './contract-check.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

let world: EngineWorld
let door: HttpDoor

beforeAll(async () => {
  world = await EngineWorld.create()
  door = await openHttpDoor(world.test)
})

afterAll(() => door.server.stop())

async function ask(method: string, params?: unknown) {
  const { json } = await door.post('/rpc', {
    jsonrpc: '2.0',
    id: 1,
    method,
    ...(params === undefined ? {} : { params }),
  })
  return json
}

describe('JSON-RPC', () => {
  test('calls an operation by its name, with its arguments in one object', async () => {
    const added = await ask('enqueue_job', { task: 'work', id: 'one', user: 'ann', payload: { n: 1 } })
    expect(added).toMatchObject({ jsonrpc: '2.0', id: 1, result: { id: 'one', status: 'pending', user: 'ann' } })
    // A parameter of the path, numbers and lists of a query, a field of a body.
    expect(await ask('get_job', { id: 'one' })).toMatchObject({ result: { id: 'one', payload: { n: 1 } } })
    expect(await ask('list_jobs', { status: ['pending'], limit: 1 })).toMatchObject({
      result: { jobs: [{ id: 'one' }] },
    })
    expect(await ask('cancel_job', { id: 'one', reason: 'why not' })).toMatchObject({ result: { status: 'cancelled' } })
  })

  test('knows every operation that answers in one piece', async () => {
    for (const { name } of routes.filter(
      ({ answer, path }) => answer !== undefined && !['/rpc', '/openapi.json'].includes(path),
    )) {
      const { error } = await ask(name, { nonsense_field: 1 })
      expect({ name, code: error?.code }).not.toEqual({ name, code: -32601 })
    }
  })

  test.for([
    ['an argument that nobody knows', 'enqueue_job', { task: 'work', nonsense: 1 }, -32602, { field: 'nonsense' }],
    ['a lacking argument of the path', 'get_job', {}, -32602, { field: 'id' }],
    ['an argument of a wrong type', 'list_jobs', { limit: {} }, -32602, { field: 'limit' }],
    ['a number beyond its limit', 'list_jobs', { limit: 501 }, -32602, { field: 'limit' }],
    ['arguments by their places', 'get_job', ['one'], -32602, { field: 'params' }],
    ['a job that does not exist', 'get_job', { id: 'nobody' }, -32000, { code: 'job_not_found', status: 404 }],
  ] as const)('refuses %s, as a problem', async ([, method, params, code, data]) => {
    expect(await ask(method, params)).toMatchObject({ error: { code, message: expect.any(String), data } })
  })

  test('refuses what is no request of JSON-RPC in its own words', async () => {
    expect(await ask('nonsense')).toMatchObject({ error: { code: -32601 } })
    expect((await door.post('/rpc', { method: 'get_job' })).json).toMatchObject({ error: { code: -32600 } })
    expect((await door.post('/rpc', '{"jsonrpc": ')).json).toMatchObject({ id: null, error: { code: -32700 } })
    expect((await door.post('/rpc', [])).json).toMatchObject({ error: { code: -32600 } })
    expect((await door.post('/rpc', Array(101).fill({ jsonrpc: '2.0', id: 1, method: 'x' }))).json).toMatchObject({
      error: { code: -32600 },
    })
  })

  test('answers a batch with one answer for each request, and none for a notification', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 'a', method: 'enqueue_job', params: { task: 'work', id: 'two' } },
      { jsonrpc: '2.0', method: 'enqueue_job', params: { task: 'work', id: 'three' } },
      { jsonrpc: '2.0', id: 'b', method: 'get_job', params: { id: 'nobody' } },
    ]
    const { json } = await door.post('/rpc', batch)
    expect(json).toHaveLength(2)
    expect(json.find(({ id }: { id: string }) => id === 'a')).toMatchObject({ result: { id: 'two' } })
    expect(json.find(({ id }: { id: string }) => id === 'b')).toMatchObject({
      error: { data: { code: 'job_not_found' } },
    })
    const told = await door.post('/rpc', { jsonrpc: '2.0', method: 'cancel_job', params: { id: 'two' } })
    expect({ status: told.status, text: told.text }).toEqual({ status: 204, text: '' })
    expect(await ask('get_job', { id: 'two' })).toMatchObject({ result: { status: 'cancelled' } })
    expect(await ask('get_job', { id: 'three' })).toMatchObject({ result: { status: 'pending' } })
  })

  test('repeats a request under its Idempotency-Key', async () => {
    const request = { jsonrpc: '2.0', id: 1, method: 'enqueue_job', params: { task: 'work' } }
    const key = { 'idempotency-key': 'once' }
    const first = (await door.post('/rpc', request, key)).json
    expect((await door.post('/rpc', request, key)).json.result.id).toBe(first.result.id)
  })
})

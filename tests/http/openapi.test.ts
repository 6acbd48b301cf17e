import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { setScene } from '../refusals/scene.ts'
import { document, routeOf, routes } from './contract-check.ts'
import { everyOperation, type OperationCall } from './every-operation.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

let world: EngineWorld
let door: HttpDoor
let calls: readonly OperationCall[]

beforeAll(async () => {
  world = await EngineWorld.create()
  calls = everyOperation(await setScene(world))
  door = await openHttpDoor(world.test)
})

afterAll(() => door.server.stop())

describe('the OpenAPI document', () => {
  test('says of every operation what it is, once', () => {
    const names = routes.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, summary } of routes) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/)
      expect(summary).toMatch(/^[A-Z].*\.$/)
    }
    expect(document.openapi).toBe('3.1.0')
  })

  test('describes what every operation answers when it is called', async () => {
    const answered: string[] = []
    for (const { method, path, body, headers } of calls) {
      const json = body === undefined ? {} : { body: JSON.stringify(body) }
      const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
      // The door holds each answer against the document and throws where they differ.
      const reply = await door.send(method, path, { ...json, headers: { ...type, ...headers } })
      const name = routeOf(method, path)?.name ?? `${method} ${path}`
      expect({ name, status: reply.status, said: reply.status < 400 ? '' : reply.text }).toEqual({
        name,
        status: expect.toSatisfy((status: number) => status < 300),
        said: '',
      })
      answered.push(name)
    }
    expect([...new Set(answered)].sort()).toEqual(routes.map(({ name }) => name).sort())
  })
})

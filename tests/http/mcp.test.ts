import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { routes } from './contract-check.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

let world: EngineWorld
let door: HttpDoor
let client: Client

beforeAll(async () => {
  world = await EngineWorld.create()
  door = await openHttpDoor(world.test)
  client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(`${door.url}/mcp`)))
})

afterAll(async () => {
  await client.close()
  await door.server.stop()
})

describe('the Model Context Protocol', () => {
  test('shows every operation that answers in one piece as a tool with schemas and hints', async () => {
    const { tools } = await client.listTools()
    const named = routes.filter(({ answer, path }) => answer !== undefined && !['/rpc', '/openapi.json'].includes(path))
    expect(tools.map(({ name }) => name).sort()).toEqual(named.map(({ name }) => name).sort())
    const byName = new Map(tools.map((tool) => [tool.name, tool]))
    expect(byName.get('list_jobs')).toMatchObject({
      annotations: { readOnlyHint: true, destructiveHint: false },
      inputSchema: {
        type: 'object',
        additionalProperties: false,
        properties: { limit: { type: 'integer', minimum: 1, maximum: 500 }, status: { type: 'array' } },
      },
    })
    expect(byName.get('get_job')).toMatchObject({ inputSchema: { required: ['id'] } })
    expect(byName.get('delete_job')?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true })
  })

  test('a tool answers with what its output schema says, which the client checks', async () => {
    const added = await client.callTool({ name: 'enqueue_job', arguments: { task: 'work', id: 'one', user: 'ann' } })
    expect(added.structuredContent).toMatchObject({ id: 'one', status: 'pending' })
    const listed = await client.callTool({ name: 'list_jobs', arguments: { status: ['pending'], limit: 5 } })
    expect(listed.structuredContent).toMatchObject({ jobs: [{ id: 'one' }] })
    const explained = await client.callTool({ name: 'explain_job', arguments: { id: 'one' } })
    expect(explained.structuredContent).toMatchObject({ job_id: 'one', sentence: expect.stringContaining('one') })
  })

  test('a refusal is an error that a model can read, and changes nothing', async () => {
    const refused = await client.callTool({ name: 'enqueue_job', arguments: { task: 'work', nonsense: true } })
    expect(refused.isError).toBe(true)
    const [said] = refused.content as { text: string }[]
    expect(JSON.parse(said?.text ?? '')).toMatchObject({ code: 'invalid_argument', field: 'nonsense' })
    await expect(client.callTool({ name: 'nonsense', arguments: {} })).rejects.toThrow(/there is no tool nonsense/)
  })

  test('the queue and a job are resources', async () => {
    const { resources } = await client.listResources()
    expect(resources.map(({ uri }) => uri)).toEqual(['interlock://queue/status'])
    const status = await client.readResource({ uri: 'interlock://queue/status' })
    const [text] = status.contents as { text: string }[]
    expect(JSON.parse(text?.text ?? '')).toHaveProperty('queue_length')
    const job = await client.readResource({ uri: 'interlock://jobs/one' })
    expect(JSON.parse((job.contents as { text: string }[])[0]?.text ?? '')).toMatchObject({ id: 'one' })
    await expect(client.readResource({ uri: 'interlock://jobs/nobody' })).rejects.toThrow(/does not exist/)
  })
})

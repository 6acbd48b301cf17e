import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let world: EngineWorld
let door: HttpDoor

beforeAll(async () => {
  world = await EngineWorld.create()
  door = await openHttpDoor(world.test)
})

afterAll(() => door.server.stop())

describe('interlock mcp', () => {
  test.for(['over HTTP', 'straight on a database'] as const)(
    'serves a client over stdin and stdout, %s',
    async (where) => {
      const env = where === 'over HTTP' ? { INTERLOCK_URL: door.url } : { DATABASE_URL: world.test.url }
      const transport = new StdioClientTransport({
        command: process.execPath,
        args: [program, 'mcp'],
        cwd: tmpdir(),
        env: { PATH: process.env.PATH ?? '', ...env },
        stderr: 'pipe',
      })
      const client = new Client({ name: 'test', version: '1' })
      await client.connect(transport)
      const id = where === 'over HTTP' ? 'far' : 'near'
      const added = await client.callTool({ name: 'enqueue_job', arguments: { task: 'work', id, user: id } })
      expect(added.structuredContent).toMatchObject({ id, status: 'pending' })
      const listed = await client.callTool({
        name: 'list_jobs',
        arguments: { user: id, status: ['pending'], limit: 5 },
      })
      expect(listed.structuredContent).toMatchObject({ jobs: [{ id }] })
      const refused = await client.callTool({ name: 'cancel_job', arguments: { id: 'nobody' } })
      expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('job_not_found') }] })
      const status = await client.readResource({ uri: 'interlock://queue/status' })
      expect(status.contents[0]).toMatchObject({ text: expect.stringContaining('queue_length') })
      await client.close()
      expect(await world.query('select status from interlock.jobs where id = $1', [id])).toEqual([
        { status: 'pending' },
      ])
    },
  )
})

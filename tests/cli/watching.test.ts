import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'
import { runCli, startCli } from './run-cli.ts'

let world: EngineWorld
let door: HttpDoor

beforeAll(async () => {
  world = await EngineWorld.create()
  door = await openHttpDoor(world.test)
})
afterAll(() => door.server.stop())

describe('--watch', () => {
  test('looks again and again until Ctrl-C, one look after the other in a pipe', async () => {
    const cli = await startCli(['queue', 'list', '--watch', '0.2'], { env: { INTERLOCK_URL: door.url } })
    await world.enqueue({ id: 'first' })
    await cli.sees('first')
    await world.enqueue({ id: 'second' })
    await cli.sees('second')
    cli.kill('SIGINT')
    const { code, stdout } = await cli.ended()
    expect(code).toBe(0)
    expect(stdout.split('first').length).toBeGreaterThan(2)
    // Nothing clears a screen that is not there.
    expect(stdout).not.toContain('\u001b')
  })

  test('waits for a queue that is away, and says so', async () => {
    const other = await openHttpDoor(world.test)
    const port = new URL(other.url).port
    const cli = await startCli(['queue', 'status', '--watch', '0.2'], { env: { INTERLOCK_URL: other.url } })
    await cli.sees('waiting')
    await other.server.stop()
    await waitFor(() => cli.stderr().includes('cannot be reached'), { what: 'the refusal to be told' })
    const before = cli.stdout().length
    const again = await openHttpDoor(world.test, { port: Number(port) })
    await waitFor(() => cli.stdout().length > before, { what: 'another look' })
    cli.kill('SIGTERM')
    expect((await cli.ended()).code).toBe(0)
    await again.server.stop()
  })

  test('refuses a pace that is none', async () => {
    const env = { INTERLOCK_URL: door.url }
    for (const pace of ['0', '-1', 'soon']) {
      expect(await runCli(['queue', 'status', `--watch=${pace}`], { env })).toMatchObject({ code: 2, stdout: '' })
    }
  })
})

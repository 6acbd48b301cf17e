import { describe, expect, it } from 'vitest'
import { choosePort } from '../../src/store/embedded/port.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { untilSomebodyWaits } from '../support/watched-jobs.ts'
import { runCli, startCli, temporaryFolder } from './run-cli.ts'

describe('interlock serve and interlock agent', () => {
  it('are the same in two processes', async () => {
    const test = await createTestDatabase()
    const folder = await temporaryFolder({ 'interlock.toml': '[tasks.greet]\ncommand = ["echo", "hello"]\n' })
    const env = { DATABASE_URL: test.url }
    const serve = await startCli(['serve', '--port', '0'], { cwd: folder, env })
    const agent = await startCli(['agent', '--name', 'gpu-1', '--slots', '2'], { cwd: folder, env })
    await serve.sees(/^http /m)
    await agent.sees(/^agent +gpu-1\.\d+, 2 slots/m)
    const url = /^http +(\S+)$/m.exec(serve.stdout())?.[1] ?? ''
    const interlock = (...args: string[]) => runCli(args, { env: { INTERLOCK_URL: url } })
    expect(await interlock('queue', 'add', 'greet', '--wait')).toMatchObject({ code: 0 })
    expect((await interlock('agents', 'status')).stdout).toMatch(/^gpu-1\.\d+ +active +0\/2 /m)
    for (const part of [agent, serve]) {
      part.kill('SIGTERM')
      expect(await part.ended()).toMatchObject({ code: 0 })
    }
    await test.drop()
  })
})

describe('interlock job wait', () => {
  it('outlives a restart of the coordinator, and says that it waits for it', async () => {
    const test = await createTestDatabase()
    const env = { DATABASE_URL: test.url }
    const port = await choosePort(null)
    const startServe = async () => {
      const serve = await startCli(['serve', '--port', String(port)], { env })
      await serve.sees(/^http /m)
      return serve
    }
    const first = await startServe()
    const over = { env: { INTERLOCK_URL: `http://127.0.0.1:${port}` } }
    const added = await runCli(['queue', 'add', 'anything'], over)
    const id = added.stdout.split(' ')[0] ?? ''
    const waiting = await startCli(['job', 'wait', id], over)
    await untilSomebodyWaits(test)
    const timesAsked = () => first.stderr().split(`"path":"/jobs/${id}"`).length - 1
    const before = timesAsked()
    const follower = await startCli(['job', 'output', id, '-f'], over)
    await waitFor(() => timesAsked() > before, { what: 'the follower to have asked for the job' })
    first.kill('SIGTERM')
    await first.ended()
    await waitFor(() => waiting.stderr() + follower.stderr() !== '', { what: 'somebody to notice that it is away' })

    const second = await startServe()
    await runCli(['job', 'cancel', id], over)
    expect(await waiting.ended()).toMatchObject({ code: 1, stdout: `${id} cancelled\n` })
    expect(await follower.ended()).toMatchObject({ code: 0, stdout: '' })
    second.kill('SIGTERM')
    await second.ended()
    await test.drop()
  })
})

import { describe, expect } from 'vitest'
import { testInWorld as it } from '../agent/agent-world.ts'
import { runCli, startCli } from '../cli/run-cli.ts'
import { Line } from '../support/line.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { Fleet } from './fleet.ts'

const crawl = { kind: 'drip', bytesPerSecond: 1 } as const

describe.concurrent('an agent whose network is slow', { timeout: 60_000 }, () => {
  it.for([
    { name: 'towards the server only', trouble: { kind: 'delay', ms: 3000, direction: 'to server' } },
    { name: 'from the server only', trouble: { kind: 'delay', ms: 3000, direction: 'to client' } },
  ] as const)('keeps its lease though an answer takes a third of it ($name)', async ({ trouble }, { world }) => {
    const line = await Line.lay(world.test.url)
    const tasks = { slow: { command: ['sh', '-c', 'echo ready; sleep 9'] } }
    const settings = { name: 'far', tasks, leaseSeconds: 9, liveness: 'lease' } as const
    const agent = await world.startAgentProcess({ ...settings }, [], line.urlOf(world.test.url))
    const job = await world.enqueue({ task: 'slow' })
    await world.untilReady(job)
    line.trouble(trouble)
    await world.untilStatus(job, 'completed', 25_000)
    expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(agent.log.filter(({ message }) => message === 'agent registered')).toHaveLength(1)
    line.heal()
    agent.kill('SIGKILL')
    await agent.exit
    await line.close()
  })

  it.for(['to server', 'to client', 'both'] as const)(
    'one byte a second (%s): its processes end before its lease does, and it comes back when the network does',
    async (direction, { world }) => {
      const line = await Line.lay(world.test.url)
      const tasks = { endless: { command: ['sh', '-c', 'echo ready; while :; do sleep 0.1; done'] } }
      const agent = await world.startAgentProcess(
        { name: 'far', tasks, leaseSeconds: 4 },
        [],
        line.urlOf(world.test.url),
      )
      const job = await world.enqueue({ task: 'endless', max_attempts: 1 })
      await world.untilReady(job)
      line.trouble({ ...crawl, direction })
      const before = performance.now()
      await waitFor(() => world.processes().length === 0, { what: 'its processes to be gone' })
      expect(performance.now() - before).toBeLessThan(4000)
      await world.untilStatus(job, 'failed')
      line.heal()
      const next = await world.enqueue({ task: 'endless' })
      await world.untilReady(next)
      agent.kill('SIGKILL')
      await agent.exit
      await line.close()
    },
  )
})

describe.concurrent('a coordinator whose network is slow', { timeout: 60_000 }, () => {
  it.for(['to server', 'to client'] as const)(
    'one byte a second (%s): every call ends by its deadline, and so does the process when it is told to',
    async (direction) => {
      const test = await createTestDatabase()
      const line = await Line.lay(test.url)
      const serve = await startCli(['serve', '--port', '0'], { env: { DATABASE_URL: line.urlOf(test.url) } })
      await serve.sees(/^http /m)
      const url = /^http +(\S+)$/m.exec(serve.stdout())?.[1] ?? ''
      line.trouble({ ...crawl, direction })
      const calls = ['/queue/status', '/jobs', '/jobs/nobody', '/locks', '/agents', '/queue/health', '/readyz']
      const before = performance.now()
      const answers = await Promise.all(
        [...calls, ...calls].map(async (path) => {
          const { status } = await fetch(`${url}${path}`)
          return { path, status, seconds: (performance.now() - before) / 1000 }
        }),
      )
      for (const { path, status, seconds } of answers) {
        expect({ path, status }).toEqual({ path, status: 503 })
        expect(seconds).toBeLessThan(13)
      }
      const stoppedAt = performance.now()
      serve.kill('SIGTERM')
      expect(await serve.ended()).toMatchObject({ code: 0 })
      expect(performance.now() - stoppedAt).toBeLessThan(15_000)
      await line.close()
      await test.drop()
    },
  )

  it('one byte a second: an agent that is told to stop is gone within 30 s, and its jobs’ processes with it', async () => {
    const fleet = await Fleet.create({
      config:
        '[agent]\ndrain_seconds = 5\n[agents]\nliveness = "lease"\n[tasks.endless]\ncommand = ["sh", "-c", "echo ready; sleep 1000 & sleep 1000"]\n',
    })
    const line = await Line.lay(fleet.test.url)
    const { cli } = await fleet.agent('far', { DATABASE_URL: line.urlOf(fleet.test.url) })
    const [job = ''] = await fleet.enqueue({ task: 'endless' })
    await fleet.untilStatus(job, 'running')
    expect(await fleet.test.query(`select liveness from interlock.agent_stats where name = 'far'`)).toEqual([
      { liveness: 'lease' },
    ])
    line.trouble(crawl)
    const before = performance.now()
    cli.kill('SIGTERM')
    expect(await cli.ended()).toMatchObject({ code: 0 })
    expect(performance.now() - before).toBeLessThan(30_000)
    expect(fleet.processes()).toEqual([])
    await line.close()
    await fleet.end()
  })

  it('one byte a second from the start: a command, a coordinator and an agent give up in words, within seconds', async () => {
    const test = await createTestDatabase()
    const line = await Line.lay(test.url)
    line.trouble({ ...crawl, direction: 'both' })
    const env = { DATABASE_URL: line.urlOf(test.url) }
    const before = performance.now()
    const ends = await Promise.all(
      [['queue', 'status'], ['serve', '--port', '0'], ['agent'], ['migrate', 'status']].map((words) =>
        runCli(words, { env }),
      ),
    )
    for (const { code, stderr } of ends) {
      expect(code).toBe(6)
      expect(stderr).toMatch(/no server answers|timeout|longer than/)
    }
    expect(performance.now() - before).toBeLessThan(12_000)
    await line.close()
    await test.drop()
  })
})

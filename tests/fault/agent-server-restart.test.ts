import { setTimeout as sleep } from 'node:timers/promises'
import { describe, test } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import type { Database } from '../../src/store/database.ts'
import { createMark, findMarked, type SeenProcess } from '../agent/marked-processes.ts'
import { timelineOf } from '../support/job-facts.ts'
import { OwnServer } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

const silent = () => undefined

/** A server, a coordinator's clock and an agent of the test's own, so that those which mostly wait wait at the same time. */
class RestartWorld {
  readonly server: OwnServer
  readonly database: Database
  readonly messages: string[] = []
  readonly #mark = createMark()
  readonly #ticker: Ticker
  #agent: Agent | null = null

  static async create(): Promise<RestartWorld> {
    return new RestartWorld(await OwnServer.start())
  }

  private constructor(server: OwnServer) {
    this.server = server
    this.database = server.open()
    const { database } = this
    const dispatcher = new Dispatcher({ database })
    this.#ticker = new Ticker({ database, dispatcher, logger: createSilentLogger(), intervalMs: 250 })
    this.#ticker.start()
  }

  async startAgent(leaseSeconds: number): Promise<Agent> {
    const say = (_: object, message: string) => void this.messages.push(message)
    this.#agent = new Agent({
      database: this.database,
      name: 'one',
      queues: ['default'],
      slots: 1,
      tasks: { long: { command: ['sh', '-c', 'sleep 6; echo "{}"'] } },
      environment: { PATH: process.env.PATH ?? '', [this.#mark.name]: this.#mark.value },
      leaseSeconds,
      log: { debug: silent, info: say, warn: say, error: say },
    })
    await this.#agent.start()
    return this.#agent
  }

  async enqueueLong(): Promise<string> {
    const [row] = await this.database.query<{ job_id: string }>('select job_id from interlock.enqueue_jobs($1)', [
      JSON.stringify([{ task: 'long', user: 'alice' }]),
    ])
    const job = row?.job_id ?? ''
    await waitFor(async () => (await this.timelineOf(job)).includes('started'), { what: 'the job to run' })
    return job
  }

  timelineOf(job: string): Promise<readonly string[]> {
    return timelineOf(this.database, job)
  }

  async untilCompleted(job: string): Promise<void> {
    await waitFor(async () => (await this.timelineOf(job)).includes('completed'), {
      what: 'its end',
      timeoutMs: 20_000,
    })
  }

  jobProcesses(): readonly SeenProcess[] {
    return findMarked(this.#mark).filter(({ command }) => !command.includes('keeper-process'))
  }

  async close(): Promise<void> {
    await this.#agent?.stop({ graceSeconds: 0 })
    await this.#ticker.stop()
    await this.server.dispose()
  }
}

const testInWorld = test.extend<{ world: RestartWorld }>({
  world: async ({ task: _ }, use) => {
    const world = await RestartWorld.create()
    try {
      await use(world)
    } finally {
      await world.close()
    }
  },
})

describe.concurrent('a job whose database server is away for seconds', () => {
  testInWorld(
    'goes on when the server is stopped at once and started again: its lock says nothing, its lease holds',
    async ({ world, expect }) => {
      const agent = await world.startAgent(15)
      const job = await world.enqueueLong()
      const { id } = agent
      await world.server.stopAtOnce()
      // Longer than the second in which a lock that is lost has to be taken back.
      await sleep(3000)
      await world.server.startAgain()
      await world.untilCompleted(job)
      expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
      expect(agent.id).toBe(id)
      expect(world.messages).toContain('liveness lock is held again')
    },
  )

  testInWorld(
    'goes on when a backend is killed with -9, and the server recovers from that',
    async ({ world, expect }) => {
      const agent = await world.startAgent(15)
      const job = await world.enqueueLong()
      const { id } = agent
      const [backend] = await world.database.query<{ pid: number }>('select pg_backend_pid() as pid')
      process.kill(backend?.pid ?? 0, 'SIGKILL')
      await world.untilCompleted(job)
      expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
      expect(agent.id).toBe(id)
    },
  )

  testInWorld(
    'is ended by the keeper before the lease is over when the server stays away, and runs again afterwards',
    async ({ world, expect }) => {
      const agent = await world.startAgent(4)
      const job = await world.enqueueLong()
      const { id } = agent
      await waitFor(() => world.jobProcesses().length > 0, { what: 'its process' })
      const before = performance.now()
      await world.server.stopAtOnce()
      await waitFor(() => world.jobProcesses().length === 0, { what: 'its process to be gone', timeoutMs: 4000 })
      expect(performance.now() - before).toBeLessThan(4000)
      await sleep(Math.max(0, 4500 - (performance.now() - before)))
      await world.server.startAgain()
      await world.untilCompleted(job)
      const timeline = await world.timelineOf(job)
      expect(timeline).toEqual(['enqueued', 'assigned', 'started', 'lost', 'assigned', 'started', 'completed'])
      expect(agent.id).not.toBe(id)
    },
  )
})

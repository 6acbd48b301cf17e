import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'
import { findPostmaster } from '../../src/store/embedded/postmaster.ts'
import { type EmbeddedServer, startEmbeddedServer } from '../../src/store/embedded-server.ts'
import { migrate } from '../../src/store/migrations.ts'
import { createMark, findMarked } from '../agent/marked-processes.ts'
import { waitFor } from '../support/wait-for.ts'

const silent = () => undefined
const mark = createMark()
let dataDir: string
let server: EmbeddedServer
let database: Database
let ticker: Ticker
let agent: Agent
let createAgent: (leaseSeconds: number) => Agent
let messages: string[]

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `interlock-tests-${process.pid}-restart-`))
  server = await startEmbeddedServer({ dataDir })
  await server.ensureDatabase('interlock')
  database = new Database({ url: server.url('interlock') })
  await migrate(database)
  ticker = new Ticker({
    database,
    dispatcher: new Dispatcher({ database }),
    logger: createSilentLogger(),
    intervalMs: 250,
  })
  ticker.start()
  messages = []
  const say = (_: object, message: string) => void messages.push(message)
  createAgent = (leaseSeconds) =>
    new Agent({
      database,
      name: 'one',
      queues: ['default'],
      slots: 1,
      tasks: { long: { command: ['sh', '-c', 'sleep 6; echo "{}"'] } },
      environment: { PATH: process.env.PATH ?? '', [mark.name]: mark.value },
      leaseSeconds,
      log: { debug: silent, info: say, warn: say, error: say },
    })
})

afterEach(async () => {
  await agent.stop({ graceSeconds: 0 })
  await ticker.stop()
  await database.end()
  await server.stop()
  await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
})

async function enqueueLong(leaseSeconds: number): Promise<string> {
  agent = createAgent(leaseSeconds)
  await agent.start()
  const [row] = await database.query<{ job_id: string }>('select job_id from interlock.enqueue_jobs($1)', [
    JSON.stringify([{ task: 'long', user: 'alice' }]),
  ])
  const job = row?.job_id ?? ''
  await waitFor(async () => (await timelineOf(job)).includes('started'), { what: 'the job to run' })
  return job
}

async function timelineOf(job: string): Promise<readonly string[]> {
  const rows = await database.query<{ event_type: string }>(
    'select event_type from interlock.job_queue_log where job_id = $1 order by id',
    [job],
  )
  return rows.map(({ event_type }) => event_type)
}

async function stopServerAtOnce(): Promise<void> {
  const postmaster = await findPostmaster(join(dataDir, 'server', 'cluster'))
  process.kill(postmaster?.pid ?? 0, 'SIGQUIT')
}

function jobProcesses() {
  return findMarked(mark).filter(({ command }) => !command.includes('keeper-process'))
}

async function untilCompleted(job: string): Promise<void> {
  await waitFor(async () => (await timelineOf(job)).includes('completed'), { what: 'its end', timeoutMs: 20_000 })
}

describe('a job whose database server is away for seconds', () => {
  it('goes on when the server is stopped at once and started again: its lock says nothing, its lease holds', async () => {
    const job = await enqueueLong(15)
    const { id } = agent
    await stopServerAtOnce()
    // Longer than the second in which a lock that is lost has to be taken back.
    await sleep(3000)
    server = await startEmbeddedServer({ dataDir })
    await untilCompleted(job)
    expect(await timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(agent.id).toBe(id)
    expect(messages).toContain('liveness lock is held again')
  })

  it('goes on when a backend is killed with -9, and the server recovers from that', async () => {
    const job = await enqueueLong(15)
    const { id } = agent
    const [backend] = await database.query<{ pid: number }>('select pg_backend_pid() as pid')
    process.kill(backend?.pid ?? 0, 'SIGKILL')
    await untilCompleted(job)
    expect(await timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(agent.id).toBe(id)
  })

  it('is ended by the keeper before the lease is over when the server stays away, and runs again afterwards', async () => {
    const job = await enqueueLong(4)
    const { id } = agent
    await waitFor(() => jobProcesses().length > 0, { what: 'its process' })
    const before = performance.now()
    await stopServerAtOnce()
    await waitFor(() => jobProcesses().length === 0, { what: 'its process to be gone', timeoutMs: 4000 })
    expect(performance.now() - before).toBeLessThan(4000)
    await sleep(Math.max(0, 4500 - (performance.now() - before)))
    server = await startEmbeddedServer({ dataDir })
    await untilCompleted(job)
    expect(await timelineOf(job)).toEqual([
      'enqueued',
      'assigned',
      'started',
      'lost',
      'assigned',
      'started',
      'completed',
    ])
    expect(agent.id).not.toBe(id)
  })
})

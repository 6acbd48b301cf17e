import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { choosePort } from '../../src/store/embedded/port.ts'
import { createCoordinator } from '../../src/worker/worker.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type HttpDoor, openHttpDoor } from './http-door.ts'

const script = fileURLToPath(new URL('../../scripts/agent.py', import.meta.url))
const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 8))']).status === 0
const title = hasPython ? 'scripts/agent.py' : 'scripts/agent.py (skipped: there is no python3 here)'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function startAgent(port: number): () => string {
  const env = {
    PATH: process.env.PATH,
    INTERLOCK_URL: `http://127.0.0.1:${port}`,
    AGENT_NAME: 'snake',
    AGENT_SLOTS: '2',
  }
  const child = spawn('python3', [script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let said = ''
  const hear = (text: string) => {
    said += text
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear)
  return () => said
}

/** Says 503 to whoever asks, as what stands before a coordinator does while that one restarts; counts them. */
async function unavailableAt(
  port: number,
): Promise<{ readonly asked: () => number; readonly close: () => Promise<void> }> {
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    response.writeHead(503, { 'Retry-After': '1', Connection: 'close' }).end()
  })
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
  return { asked: () => asked, close: () => new Promise((resolve) => void server.close(() => resolve())) }
}

async function statusOf(test: TestDatabase, id: string): Promise<string | undefined> {
  const [row] = await test.query<{ status: string }>(
    `select status from interlock.jobs where id = $1
     union all select outcome from interlock.task_history where job_id = $1`,
    [id],
  )
  return row?.status
}

describe.skipIf(!hasPython)(title, () => {
  it('runs jobs to their end, survives a coordinator that restarts under it, and stops what it is told to stop', async () => {
    const test = await createTestDatabase()
    const coordinator = createCoordinator({
      database: test.database,
      logger: createSilentLogger(),
      tickIntervalMs: 200,
    })
    await coordinator.start()
    const port = await choosePort(null)
    const until = (id: string, status: string) =>
      waitFor(async () => (await statusOf(test, id)) === status, { what: `${id} to be ${status}`, timeoutMs: 15_000 })
    let door: HttpDoor = await openHttpDoor(test, { port })
    const said = startAgent(port)
    await waitFor(() => said().includes('registered snake.'), { what: 'the agent to register' })

    await door.post('/jobs', { id: 'short', task: 'count', user: 'ann', payload: { n: 3 } })
    await until('short', 'completed')
    expect((await door.get('/jobs/short')).json).toMatchObject({ result: { counted: 3 }, attempt: 1 })
    expect((await door.get('/jobs/short/output')).text).toContain('step 3 of 3')

    // One that runs while nobody answers, and goes on: its steps are told when somebody does again.
    await door.post('/jobs', { id: 'long', task: 'count', user: 'ann', payload: { n: 4, seconds: 0.2 } })
    await until('long', 'running')
    await door.server.stop()
    const refusing = await unavailableAt(port)
    await waitFor(() => refusing.asked() > 2, { what: 'the agent to ask in vain' })
    expect(await statusOf(test, 'long')).toBe('running')
    await refusing.close()
    door = await openHttpDoor(test, { port })
    await until('long', 'completed')
    expect((await door.get('/jobs/long')).json).toMatchObject({ attempt: 1 })

    await door.post('/jobs', { id: 'endless', task: 'count', payload: { n: 1000, seconds: 0.5 } })
    await until('endless', 'running')
    expect((await door.post('/jobs/endless/cancel', { reason: 'enough' })).status).toBe(202)
    await until('endless', 'cancelled')

    await door.post('/jobs', { id: 'wrong', task: 'unheard-of', max_attempts: 1 })
    await until('wrong', 'failed')
    expect((await door.get('/jobs/wrong')).json.error).toMatchObject({ code: 'KeyError' })
    expect(said()).not.toContain('Traceback')
    await door.server.stop()
    await coordinator.stop()
  })
})

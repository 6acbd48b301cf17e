import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { asJobId } from '../../src/domain/ids.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'
import { choosePort } from '../../src/store/embedded/port.ts'
import { cancelJob, enqueueJobs } from '../../src/store/jobs.ts'
import { checkServer } from '../../src/store/server-check.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 10: PgBouncer. In transaction mode each transaction may have another session: no LISTEN, no liveness lock, no named
// statements. Our processes refuse to start there and say what to set; those who only enqueue may come that way. In session
// mode everything works.

const binary = findBinary()
const missing = binary === null ? ' (skipped: this machine has no pgbouncer)' : ''

function findBinary(): string | null {
  for (const path of ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer']) {
    try {
      execFileSync(path, ['--version'])
      return path
    } catch {
      // Looked for in the next place.
    }
  }
  return null
}

describe.skipIf(binary === null)(`behind PgBouncer${missing}`, () => {
  let db: TestDatabase
  let folder: string
  const bouncers: ChildProcess[] = []
  const opened: Database[] = []

  beforeAll(async () => {
    db = await createTestDatabase()
    folder = await mkdtemp(join(tmpdir(), `interlock-tests-${process.pid}-pooler-`))
    await chmod(folder, 0o755)
  })

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((database) => database.end()))
    for (const bouncer of bouncers.splice(0)) {
      const gone = new Promise((resolve) => bouncer.once('exit', resolve))
      bouncer.kill('SIGKILL')
      await gone
    }
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** The URL of a pooler before the test's database, in this mode. */
  async function pool(mode: 'transaction' | 'session', settings: readonly string[] = []): Promise<string> {
    const target = new URL(db.url)
    const port = await choosePort(null)
    const file = join(folder, `${mode}-${port}.ini`)
    await writeFile(join(folder, 'users.txt'), `"${target.username}" "${decodeURIComponent(target.password)}"\n`, {
      mode: 0o644,
    })
    await writeFile(
      file,
      `[databases]
${db.name} = host=${target.hostname} port=${target.port} dbname=${db.name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, 'users.txt')}
pool_mode = ${mode}
default_pool_size = 10
${settings.join('\n')}
`,
      { mode: 0o644 },
    )
    // It refuses to be root.
    const runAs = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    const bouncer = spawn(binary ?? '', [file], { ...runAs, stdio: 'ignore' })
    bouncers.push(bouncer)
    target.port = String(port)
    await waitFor(
      async () => {
        const database = new Database({ url: target.href, statementTimeoutSeconds: 0 })
        await database.query('select 1').finally(() => database.end())
        return true
      },
      { what: 'the pooler to answer' },
    )
    return target.href
  }

  const passes = ['ignore_startup_parameters = statement_timeout']

  function open(url: string, statementTimeoutSeconds: number): Database {
    const database = new Database({ url, statementTimeoutSeconds })
    opened.push(database)
    return database
  }

  test('in transaction mode a process refuses to start, and says what to set', async () => {
    const url = await pool('transaction', passes)
    for (let round = 0; round < 3; round += 1) {
      await expect(checkServer(open(url, 10))).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('each transaction another session'),
        hint: expect.stringContaining('DATABASE_URL'),
      })
    }
    const { code, stderr } = await runCli(['serve', '--port', '0'], { env: { DATABASE_URL: url } })
    expect(code).toBe(6)
    expect(stderr).toContain('each transaction another session')
    expect(stderr).toContain('pool_mode = session')
  })

  test('and where it does not let our limits pass it says so as well', async () => {
    await expect(checkServer(open(await pool('transaction'), 10))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('statement_timeout'),
      hint: expect.stringContaining('pool_mode = session'),
    })
  })

  test('in transaction mode whoever only enqueues may come by it', async () => {
    const database = open(await pool('transaction'), 0)
    const jobs = await Promise.all(
      Array.from({ length: 50 }, (_, n) => enqueueJobs(database, [{ task: 't', user: `user-${n}` }])),
    )
    expect(new Set(jobs.flat().map(({ id }) => id)).size).toBe(50)
  })

  test('in session mode an agent claims, beats, completes and cancels as without it', async () => {
    const url = await pool('session', passes)
    for (let round = 0; round < 3; round += 1)
      expect((await checkServer(open(url, 10))).major).toBeGreaterThanOrEqual(14)
    const database = open(url, 10)
    const ticker = new Ticker({ database, dispatcher: new Dispatcher({ database }), logger: createSilentLogger() })
    const silent = () => undefined
    const agent = new Agent({
      database,
      name: 'pooled',
      queues: ['default'],
      slots: 2,
      tasks: { work: { command: ['sh', '-c', 'echo "{}"'] }, hang: { command: ['sh', '-c', 'sleep 60'] } },
      environment: { PATH: process.env.PATH ?? '' },
      heartbeatSeconds: 0.5,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    })
    ticker.start()
    await agent.start()
    await enqueueJobs(database, [
      { task: 'work', id: 'works', user: 'alice', priority: 'critical', queue: 'default' },
      { task: 'hang', id: 'hangs', user: 'bob', priority: 'critical', queue: 'default' },
    ])
    const until = (event: string, job: string) =>
      waitFor(
        async () =>
          (await db.query('select from interlock.job_queue_log where job_id = $1 and event_type = $2', [job, event]))
            .length > 0,
        { what: `${job} to be ${event}` },
      )
    await until('started', 'hangs')
    await cancelJob(database, asJobId('hangs'))
    await until('cancelled', 'hangs')
    await until('completed', 'works')
    const [row] = await db.query<{ held: boolean }>(
      `select interlock.holds_liveness_lock(incarnation) as held from interlock.agent_stats where name = 'pooled'`,
    )
    expect(row?.held).toBe(true)
    await agent.stop({ graceSeconds: 0 })
    await ticker.stop()
  })
})

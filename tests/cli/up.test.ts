import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type CliResult, type RunningCli, runCli, startCli, temporaryFolder } from './run-cli.ts'

const tasks = `
[tasks.greet]
command = ["sh", "-c", "cat > /dev/null; echo hello; echo careful >&2; echo '{\\"greeted\\": true}'"]
[tasks.hold]
command = ["sh", "-c", "echo $$ > pid; echo held; while [ ! -e gate ]; do sleep 0.05; done"]
[tasks.break]
command = ["sh", "-c", "echo broken >&2; exit 3"]
`

interface System {
  readonly test: TestDatabase
  readonly url: string
  readonly up: RunningCli
  readonly folder: string
  interlock(...args: string[]): Promise<CliResult>
}

/** `interlock up` on a database of the test's own, ready. */
async function startUp(toml = tasks, ...flags: string[]): Promise<System> {
  const test = await createTestDatabase()
  const folder = await temporaryFolder({ 'interlock.toml': toml })
  const up = await startCli(['up', '--port', '0', ...flags], { cwd: folder, env: { DATABASE_URL: test.url } })
  onTestFinished(async () => {
    up.kill('SIGTERM')
    await up.ended()
    await test.drop()
  })
  await up.sees(/^agent +\S+\.\d+, /m)
  const url = /^http +(\S+)$/m.exec(up.stdout())?.[1] ?? ''
  return { test, url, up, folder, interlock: (...args) => runCli(args, { env: { INTERLOCK_URL: url } }) }
}

async function add(system: System, ...args: string[]): Promise<string> {
  const result = await system.interlock('queue', 'add', ...args)
  expect(result.code, result.stderr).toBe(0)
  return result.stdout.split(' ')[0] ?? ''
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('interlock up', () => {
  it('says what came up, runs a job that is added over HTTP, and tells its story as it happens', async () => {
    const system = await startUp()
    expect(system.up.stdout()).toMatch(
      /^postgres .*\nschema .*\ncoordinator .*\nhttp .*\nagent .*tasks greet, hold, break$/m,
    )

    const id = await add(system, 'greet', '--user', 'alice')
    const waited = await system.interlock('job', 'wait', id, '--json')
    expect(waited.code).toBe(0)
    expect(JSON.parse(waited.stdout)).toMatchObject({ id, status: 'completed', result: { greeted: true } })
    expect(await system.interlock('job', 'output', id, '-f')).toEqual({
      code: 0,
      stdout: 'hello\n{"greeted": true}\n',
      stderr: 'careful\n',
    })
    await system.up.sees(new RegExp(`^[0-9:.]{12} +alice +${id} +greet +completed$`, 'm'))
    expect(system.up.stdout()).not.toContain('\u001b')

    system.up.kill('SIGTERM')
    expect(await system.up.ended()).toMatchObject({ code: 0, stderr: expect.stringMatching(/^stopping/) })
  })

  it('shows who holds what and who waits for whom, by HTTP and by the database alike', async () => {
    const system = await startUp()
    const first = await add(system, 'hold', '--user', 'alice', '--model', 'flux')
    await system.up.sees(new RegExp(`${first} .* started`))
    const second = await add(system, 'greet', '--user', 'alice')
    await system.up.sees(new RegExp(`${second} .* blocked: .*alice`))

    for (const place of [{ INTERLOCK_URL: system.url }, { DATABASE_URL: system.test.url }]) {
      const look = (...args: string[]) => runCli(args, { env: place })
      const status = await look('queue', 'status', '--verbose')
      expect(status.stdout).toMatch(new RegExp(`^Running\nJOB .*\n${first} +hold +alice +flux `, 'm'))
      expect(status.stdout).toMatch(
        new RegExp(`^Waiting\nJOB .*\n${second} +greet +alice .* ${first} +User conflict`, 'm'),
      )
      expect(status.stdout).toMatch(new RegExp(`^Locks\nUSER .*\nalice +${first} `, 'm'))
      const explained = await look('job', 'explain', second)
      expect(explained.stdout).toContain(`Job ${second} waits for user:alice, held by job ${first} of alice`)
      expect(explained.stdout).toContain(`user:alice is held for`)
      const job = JSON.parse((await look('job', 'show', second, '--json')).stdout)
      expect(job).toMatchObject({ status: 'pending', blocked_by_job_id: first, queue_position: 1 })
    }

    await writeFile(`${system.folder}/gate`, '')
    expect(await system.interlock('job', 'wait', second)).toMatchObject({ code: 0 })
  })

  it('add --wait ends with 1 when the job failed for good, and requeue gives it another life', async () => {
    const system = await startUp(`${tasks}\n[queues.default]\nmax_attempts = 1\n`)
    const added = await system.interlock('queue', 'add', 'break', '--wait')
    expect(added).toMatchObject({ code: 1, stdout: expect.stringContaining('broken') })
    const id = added.stderr.split(' ')[0] ?? ''
    const again = await system.interlock('job', 'requeue', id, '--reason', 'try again')
    expect(again).toMatchObject({ code: 0, stdout: `${id} pending\n` })
    expect(await system.interlock('job', 'wait', id)).toMatchObject({ code: 1 })
    const timeline = await system.interlock('job', 'timeline', id)
    expect(timeline.stdout).toMatch(/requeued +pending +tester +try again/)
    expect(await system.interlock('job', 'delete', id)).toMatchObject({ code: 0, stdout: `${id} deleted\n` })
  })

  it('cancels a running job, whose process is gone when it is reported cancelled', async () => {
    const system = await startUp()
    const id = await add(system, 'hold')
    await system.up.sees(new RegExp(`${id} .* started`))
    const pid = Number(await readFile(`${system.folder}/pid`, 'utf8'))
    expect(isRunning(pid)).toBe(true)
    const dry = await system.interlock('job', 'cancel', id, '--dry-run')
    expect(dry.stdout).toContain('running -> cancelling')
    expect(await system.interlock('job', 'cancel', id)).toMatchObject({ code: 0, stdout: `${id} cancelling\n` })
    expect(await system.interlock('job', 'wait', id)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`${id} cancelled`),
    })
    expect(isRunning(pid)).toBe(false)
  })

  it('gives back what runs when it is stopped, and takes two signals at once for one', async () => {
    const system = await startUp(`${tasks}\n[agent]\ndrain_seconds = 1\n`)
    const id = await add(system, 'hold')
    await system.up.sees(new RegExp(`${id} .* started`))
    system.up.kill('SIGINT')
    system.up.kill('SIGINT')
    expect(await system.up.ended()).toMatchObject({ code: 0 })
    const [job] = await system.test.query('select status, attempt from interlock.jobs where id = $1', [id])
    expect(job).toEqual({ status: 'pending', attempt: 0 })
  })

  it('ends at once at the second signal, and leaves no process of a job behind', async () => {
    const system = await startUp()
    const id = await add(system, 'hold')
    await system.up.sees(new RegExp(`${id} .* started`))
    system.up.kill('SIGINT')
    await waitFor(() => system.up.stderr().includes('stopping'), { what: 'the first signal to be heard' })
    // Two within half a second are one press of Ctrl-C that came by two ways.
    await sleep(600)
    system.up.kill('SIGINT')
    expect(await system.up.ended()).toMatchObject({ code: 130 })
    const pid = Number(await readFile(`${system.folder}/pid`, 'utf8'))
    await waitFor(() => !isRunning(pid), { what: 'the process of the job to be gone' })
  })

  it('sets what the configuration says of queues and limits once, and not again at the next start', async () => {
    const toml = `${tasks}
[queues.renders]
retry_delays_seconds = [5]
patience_seconds = inf
[exclusivity]
per_user = false
[resources]
"model:flux-*" = 2
`
    const { test, up, folder } = await startUp(toml)
    const limits = () => test.query('select pattern, capacity from interlock.resource_limits order by pattern')
    expect(await limits()).toEqual([
      { pattern: 'model:flux-*', capacity: 2 },
      { pattern: 'user:*', capacity: null },
    ])
    const [queue] = await test.query(
      `select retry_delays_seconds, patience_seconds from interlock.queues where name = 'renders'`,
    )
    expect(queue).toEqual({ retry_delays_seconds: [5], patience_seconds: Number.POSITIVE_INFINITY })
    const changes = () =>
      test.query(`select from interlock.job_queue_log where event_type in ('limit_set', 'queue_set', 'limit_removed')`)
    expect(await changes()).toHaveLength(3)
    up.kill('SIGTERM')
    await up.ended()

    const again = await startCli(['up', '--port', '0'], { cwd: folder, env: { DATABASE_URL: test.url } })
    await again.sees(/^agent /m)
    again.kill('SIGTERM')
    expect(await again.ended()).toMatchObject({ code: 0 })
    expect(await changes()).toHaveLength(3)
  })

  it('plays the demonstration with --demo, ends it with itself, and does not play it twice', async () => {
    const test = await createTestDatabase()
    // What its jobs make stays for people to look at; here it goes with the test.
    const env = { DATABASE_URL: test.url, TMPDIR: await temporaryFolder() }
    const start = () => startCli(['up', '--demo', '--port', '0'], { env })
    const first = await start()
    await first.sees(/ alice +alice-2 +edit-repo +blocked: .*alice-1$/m)
    await first.sees(/ alice +alice-2 +edit-repo +started$/m)
    first.kill('SIGINT')
    expect(await first.ended()).toMatchObject({ code: 0 })
    const agents = await test.query<{ pid: number }>('select pid from interlock.agent_stats where pid is not null')
    expect(agents).toHaveLength(2)
    expect(agents.filter(({ pid }) => isRunning(pid))).toEqual([])

    const second = await start()
    await second.sees(/^--- this database has seen jobs/m)
    second.kill('SIGINT')
    expect(await second.ended()).toMatchObject({ code: 0 })
    await test.drop()
  })

  it('ends with 6 and one line when its port is in use, with nothing left behind', async () => {
    const test = await createTestDatabase()
    const server = await listen()
    onTestFinished(() => void server.close())
    const { port } = server.address() as { readonly port: number }
    const { code, stderr } = await runCli(['up', '--port', String(port)], { env: { DATABASE_URL: test.url } })
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: expect.stringMatching(new RegExp(`^error: port ${port} on 127\\.0\\.0\\.1 is in use\\. .*\n$`)),
    })
    await test.drop()
  })

  it('ends with 6 and one line when the schema is newer than the program', async () => {
    const test = await createTestDatabase()
    await test.query(`update interlock.installation set program_version = '99.0.0'`)
    const { code, stderr } = await runCli(['up', '--port', '0'], { env: { DATABASE_URL: test.url } })
    expect({ code, stderr }).toEqual({
      code: 6,
      stderr: expect.stringMatching(/^error: .*newer than this program.*\n$/),
    })
  })

  it('brings a Postgres along where none is named, stops it, and finds its jobs again', async () => {
    const folder = await temporaryFolder({ 'interlock.toml': tasks })
    const dataDir = await temporaryFolder()
    const start = async () => {
      const up = await startCli(['up', '--port', '0', '--data-dir', dataDir], { cwd: folder })
      onTestFinished(async () => {
        up.kill('SIGTERM')
        await up.ended()
      })
      await up.sees(/^agent /m, 30_000)
      const url = /^http +(\S+)$/m.exec(up.stdout())?.[1] ?? ''
      return { up, interlock: (...args: string[]) => runCli(args, { env: { INTERLOCK_URL: url } }) }
    }
    const first = await start()
    expect(first.up.stdout()).toMatch(/^psql +PGPASSWORD="\$\(cat .*\)" psql -h 127\.0\.0\.1 -p \d+ /m)
    expect(await first.interlock('queue', 'add', 'greet', '--id', 'kept', '--wait')).toMatchObject({ code: 0 })
    first.up.kill('SIGTERM')
    expect(await first.up.ended()).toMatchObject({ code: 0 })

    const second = await start()
    expect(await second.interlock('job', 'show', 'kept')).toMatchObject({ code: 0 })
  })
})

function listen(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server))
  })
}

import { beforeAll, describe, expect, it } from 'vitest'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type CliResult, runCli, startCli } from './run-cli.ts'

let test: TestDatabase
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  test = await createTestDatabase()
  env = { DATABASE_URL: test.url }
})

const interlock = (...args: string[]): Promise<CliResult> => runCli(args, { env })

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const result = await interlock(...args, '--json')
  expect(result.stderr).toBe('')
  return JSON.parse(result.stdout) as Record<string, unknown>
}

async function add(...args: string[]): Promise<string> {
  const result = await interlock('queue', 'add', ...args)
  expect(result.code, result.stderr).toBe(0)
  return result.stdout.split(' ')[0] ?? ''
}

describe('interlock queue add, straight on a database', () => {
  it('takes a task with a prompt, as the old tool did', async () => {
    const id = await add('test', 'Test task', '--priority', 'normal', '--metadata', '{"ticket": 7}')
    const job = await json('job', 'show', id)
    expect(job).toMatchObject({
      id,
      task: 'test',
      status: 'pending',
      priority: 'normal',
      payload: { prompt: 'Test task', metadata: { ticket: 7 } },
    })
  })

  it('takes user, models, resources and payload, with the models wherever they are typed', async () => {
    const id = await add('--model', 'flux', 'resize', '--model', 'motion', '--user', 'alice', '--resource', 'disk:a')
    const job = await json('job', 'show', id)
    expect(job).toMatchObject({ task: 'resize', user: 'alice', models: ['flux', 'motion'] })
    expect(job.resources).toEqual(['user:alice', 'disk:a', 'model:flux', 'model:motion'])
  })

  it('reads the payload from stdin or a file', async () => {
    const added = await runCli(['queue', 'add', 'test', '--payload', '-'], { env, stdin: '{"a": [1]}' })
    const job = await json('job', 'show', added.stdout.split(' ')[0] ?? '')
    expect(job.payload).toEqual({ a: [1] })
    expect(await interlock('queue', 'add', 'test', '--payload', '@nowhere')).toMatchObject({ code: 2 })
  })

  it('adds nothing with --dry-run, and names what the job would need', async () => {
    const before = await json('queue', 'list')
    const { code, stdout } = await interlock('queue', 'add', 'test', '--user', 'zoe', '--model', 'm', '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toContain('needs user:zoe, model:m')
    expect(await json('queue', 'list')).toEqual(before)
  })

  it('ends with 4 when the id is taken and with 3 when there is no such queue', async () => {
    const id = await add('test', '--id', 'mine-1')
    expect(id).toBe('mine-1')
    expect(await interlock('queue', 'add', 'test', '--id', 'mine-1')).toMatchObject({ code: 4 })
    expect(await interlock('queue', 'add', 'test', '--queue', 'nowhere')).toMatchObject({ code: 3 })
  })
})

describe('interlock job, straight on a database', () => {
  it('explains a waiting job in a sentence', async () => {
    const id = await add('test')
    const { code, stdout } = await interlock('job', 'explain', id)
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^Job ${id} waits .*\\.\n`))
  })

  it('ends with 3 for a job that nobody knows, whatever is asked of it', async () => {
    for (const verb of ['show', 'explain', 'output', 'timeline', 'wait', 'cancel', 'requeue', 'delete']) {
      const { code, stdout, stderr } = await interlock('job', verb, 'nobody')
      expect({ verb, code, stdout }).toEqual({ verb, code: 3, stdout: '' })
      expect(stderr).toMatch(/^error: .*nobody.*\n$/)
    }
  })

  it('shows what a change would do and changes nothing, then does it, and refuses it the second time', async () => {
    const id = await add('test')
    const dry = await interlock('job', 'cancel', id, '--dry-run')
    expect(dry).toMatchObject({ code: 0, stdout: `would cancel ${id}: pending -> cancelled\n` })
    expect(await json('job', 'show', id)).toMatchObject({ status: 'pending' })

    expect(await interlock('job', 'cancel', id, '--reason', 'not needed')).toMatchObject({
      code: 0,
      stdout: `${id} cancelled\n`,
    })
    expect(await interlock('job', 'cancel', id)).toMatchObject({ code: 4 })
    expect(await interlock('job', 'requeue', id, '--dry-run')).toMatchObject({ code: 4 })

    const { stdout } = await interlock('job', 'timeline', id)
    expect(stdout).toMatch(/enqueued +pending/)
    expect(stdout).toMatch(/cancelled +cancelled +tester +not needed/)
  })

  it('wait ends with 1 and the reason when the job did not complete', async () => {
    const id = await add('test')
    const waiting = await startCli(['job', 'wait', id], { env })
    await interlock('job', 'cancel', id, '--reason', 'changed my mind')
    expect(await waiting.ended()).toEqual({ code: 1, stdout: `${id} cancelled: changed my mind\n`, stderr: '' })
  })

  it('wait gives up at its timeout and leaves the job alone', async () => {
    const id = await add('test')
    const { code, stderr } = await interlock('job', 'wait', id, '--timeout', '1')
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${id} is pending still, after 1 s\n` })
    expect(await json('job', 'show', id)).toMatchObject({ status: 'pending' })
  })

  it.each(['wait', 'output'])('%s ends with 130 when it is interrupted, and the job goes on', async (verb) => {
    const id = await add('test')
    const running = await startCli(['job', verb, id, ...(verb === 'output' ? ['-f'] : [])], { env })
    const isAsking = async () => {
      const rows = await test.query(
        `select from pg_stat_activity where application_name = 'interlock cli' and datname = $1`,
        [test.name],
      )
      return rows.length > 0
    }
    await waitFor(isAsking, { what: 'the command to be connected' })
    running.kill('SIGINT')
    expect(await running.ended()).toMatchObject({ code: 130, stdout: '' })
    expect(await json('job', 'show', id)).toMatchObject({ status: 'pending' })
  })
})

describe('interlock queue status and list, straight on a database', () => {
  it('show who waits for what within 80 columns, and the same as JSON', async () => {
    await add('a-task-with-quite-a-long-name', '--user', 'somebody-with-a-long-name', '--model', 'a-long-model-name')
    for (const command of [
      ['queue', 'status', '--verbose'],
      ['queue', 'list'],
    ]) {
      const { code, stdout } = await interlock(...command)
      expect(code).toBe(0)
      expect(stdout.split('\n').filter((line) => [...line].length > 80)).toEqual([])
    }
    const status = await json('queue', 'status')
    expect(status).toMatchObject({ queue_length: expect.any(Number), active: { slots_used: 0 } })
  })

  it('list filters, and says how to go on', async () => {
    await add('paged', '--user', 'paula')
    await add('paged', '--user', 'paula')
    const first = await interlock('queue', 'list', '--user', 'paula', '--limit', '1')
    expect(first.stdout.split('\n').filter((line) => line.includes('paged'))).toHaveLength(1)
    const cursor = /--cursor (\S+)/.exec(first.stderr)?.[1] ?? ''
    const second = await json('job', 'list', '--user', 'paula', '--limit', '1', '--cursor', cursor)
    expect(second).toMatchObject({ jobs: [{ user: 'paula' }], next_cursor: null })
  })

  it('end quietly when whoever reads has read enough', async () => {
    const running = await startCli(['queue', 'list', '--json'], { env })
    running.process.stdout?.destroy()
    expect(await running.ended()).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('interlock agents status, straight on a database', () => {
  it('shows each agent with its slots and when it was last heard of', async () => {
    await test.query(
      `select interlock.register_agent(p_name => 'gpu-1', p_queues => '{high}', p_slots => 3, p_host => 'here', p_pid => 1)`,
    )
    const { stdout } = await interlock('agents', 'status', '--sort-by', 'load')
    expect(stdout).toMatch(/^gpu-1\.\d+ +active +0\/3 /m)
    expect(JSON.parse((await interlock('agents', 'status', '--json')).stdout)).toMatchObject({
      agents: [{ slots: 3 }],
      counts: { total: 1, suspended: 0 },
    })
  })
})

describe('interlock migrate', () => {
  it('says what is missing, does it, and finds nothing more to do', async () => {
    const empty = await createEmptyDatabase()
    const migrate = (verb: string) => runCli(['migrate', verb], { env: { DATABASE_URL: empty.url } })
    expect(await migrate('status')).toMatchObject({ code: 7, stdout: expect.stringContaining('missing: 0001_') })
    expect(await runCli(['queue', 'status'], { env: { DATABASE_URL: empty.url } })).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('interlock migrate up'),
    })
    expect(await migrate('plan')).toMatchObject({ code: 0, stdout: expect.stringContaining('would apply: 0001_') })
    expect(await migrate('up')).toMatchObject({ code: 0, stdout: expect.stringContaining('applied: 0001_') })
    expect(await migrate('up')).toMatchObject({ code: 0, stdout: 'up to date\n' })
    expect(await migrate('status')).toMatchObject({ code: 0 })

    await empty.query(`update interlock.installation set program_version = '99.0.0'`)
    expect(await migrate('up')).toMatchObject({ code: 6, stderr: expect.stringContaining('newer than this program') })
    await empty.drop()
  })
})

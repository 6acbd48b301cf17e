import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { TestAgent } from '../http/test-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type CliResult, runCli, startCli, temporaryFolder } from './run-cli.ts'

let test: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  test = await createTestDatabase()
  door = await openHttpDoor(test)
  agent = await TestAgent.register(test, { slots: 20 })
})
afterAll(() => door.server.stop())

const doors = ['a database', 'HTTP'] as const
const envOf = (kind: (typeof doors)[number]): Readonly<Record<string, string>> =>
  kind === 'HTTP' ? { INTERLOCK_URL: door.url } : { DATABASE_URL: test.url }

/** A node that does something while the lock is held; what it wants to tell it writes into a file. */
const script = (text: string): string[] => [process.execPath, '-e', text]

const holders = async (resource: string): Promise<readonly string[]> => {
  const rows = await test.query<{ job_id: string }>('select job_id from interlock.locks where resource = $1', [
    resource,
  ])
  return rows.map((row) => row.job_id)
}

describe.each(doors)('interlock locks over %s', (kind) => {
  const user = (name: string): string => `user:${name}-${kind === 'HTTP' ? 'h' : 'd'}`
  const interlock = (...args: string[]): Promise<CliResult> => runCli(args, { env: envOf(kind) })
  async function json<Value>(...args: string[]): Promise<Value> {
    const result = await interlock(...args, '--json')
    expect(result.stderr).toBe('')
    return JSON.parse(result.stdout) as Value
  }
  type Lock = { readonly lock_id: string; readonly token: number; readonly fences: Record<string, number> }
  const acquire = (resource: string, ...args: string[]) => json<Lock>('locks', 'acquire', resource, ...args)

  it('acquires, lists, extends and releases, each with what the next needs', async () => {
    const { code, stdout } = await interlock('locks', 'acquire', user('ann'), '--owner', 'me', '--lease', '600')
    expect(code).toBe(0)
    const [, id, token] = /^(\S+) token (\d+) until /.exec(stdout) ?? []
    expect(stdout).toContain(`${user('ann')} fence ${token}`)
    expect((await interlock('locks', 'list', '--resource', user('ann'))).stdout).toMatch(
      new RegExp(`${user('ann')} +lock ${id} +me .* ${token}`),
    )
    expect(await interlock('locks', 'extend', `${id}`, '--token', `${token}`, '--lease', '900')).toMatchObject({
      code: 0,
    })
    expect(await interlock('locks', 'extend', `${id}`, '--token', '0')).toMatchObject({ code: 4 })
    expect(await interlock('locks', 'release', `${id}`, '--token', '0')).toMatchObject({ code: 4 })
    expect((await interlock('locks', 'release', `${id}`, '--dry-run')).stdout).toContain(`lock ${id}`)
    expect(await interlock('locks', 'release', `${id}`, '--token', `${token}`)).toMatchObject({
      code: 0,
      stdout: `lock ${id} released\n`,
    })
    expect((await interlock('locks', 'list', '--resource', user('ann'))).stdout).toBe('nothing is held\n')
  })

  it('waits for the job that holds it, and ends with 4 and the reason when it waits in vain', async () => {
    const name = user('busy').slice(5)
    await test.query('select interlock.enqueue_jobs($1)', [JSON.stringify([{ task: 't', id: name, user: name }])])
    const job = await agent.claimOne()
    const vain = await interlock('locks', 'acquire', user('busy'), '--owner', 'me')
    expect(vain).toMatchObject({ code: 4, stdout: '' })
    expect(vain.stderr).toContain(`held by job ${name}`)
    const waiting = await startCli(['locks', 'acquire', user('busy'), '--owner', 'me', '--wait', '60'], {
      env: envOf(kind),
    })
    await waitFor(
      async () => {
        const [row] = await test.query(`select from interlock.jobs where queue = 'locks' and status = 'pending'`)
        return row !== undefined
      },
      { what: 'the lock to wait' },
    )
    await agent.complete(job)
    expect(await waiting.ended()).toMatchObject({ code: 0, stderr: '' })
    await interlock('locks', 'release', user('busy'))
  })

  it('leaves the line when it is interrupted while it waits', async () => {
    const lock = await acquire(user('queue'))
    const waiting = await startCli(['locks', 'acquire', user('queue'), '--wait', '60'], { env: envOf(kind) })
    const count = async () => {
      const rows = await test.query(`select from interlock.jobs where queue = 'locks' and status = 'pending'`)
      return rows.length
    }
    await waitFor(async () => (await count()) === 1, { what: 'the lock to wait' })
    waiting.kill('SIGINT')
    expect(await waiting.ended()).toMatchObject({ code: 130 })
    expect(await count()).toBe(0)
    await interlock('locks', 'release', lock.lock_id)
  })

  it('holds it while a command runs, extends it, hands it token and fences, and passes on its exit code', async () => {
    const folder = await temporaryFolder()
    const file = join(folder, 'seen')
    const text = `const fs = require('fs'); const e = process.env
      fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify([e.INTERLOCK_LOCK_ID, e.INTERLOCK_TOKEN, e.INTERLOCK_FENCES]))
      console.log('said'); setTimeout(() => process.exit(3), 3000)`
    const running = await startCli(
      ['locks', 'acquire', user('held'), '--owner', 'me', '--lease', '2', '--', ...script(text)],
      { env: envOf(kind) },
    )
    await waitFor(() => existsSync(file), { what: 'the command to run' })
    const [id] = await holders(user('held'))
    expect(await running.ended()).toEqual({ code: 3, stdout: 'said\n', stderr: '' })
    const [lockId, token, fences] = JSON.parse(await readFile(file, 'utf8')) as string[]
    expect(lockId).toBe(id)
    expect(JSON.parse(fences ?? '')).toEqual({ [user('held')]: Number(token) })
    const [row] = await test.query<{ outcome: string }>(
      'select outcome from interlock.task_history where job_id = $1',
      [id],
    )
    expect(row?.outcome).toBe('completed')
  })

  it('stops the command on Ctrl-C and releases the lock', async () => {
    const folder = await temporaryFolder()
    const text = `require('fs').writeFileSync(${JSON.stringify(join(folder, 'up'))}, ''); setInterval(() => {}, 1000)`
    const running = await startCli(['locks', 'acquire', user('stop'), '--', ...script(text)], { env: envOf(kind) })
    await waitFor(() => existsSync(join(folder, 'up')), { what: 'the command to run' })
    expect(await holders(user('stop'))).toHaveLength(1)
    running.kill('SIGINT')
    expect(await running.ended()).toMatchObject({ code: 130, stderr: '' })
    expect(await holders(user('stop'))).toEqual([])
  })

  it('stops the command when the lock is taken away, and ends with 4', async () => {
    const folder = await temporaryFolder()
    const text = `require('fs').writeFileSync(${JSON.stringify(join(folder, 'up'))}, ''); setInterval(() => {}, 1000)`
    const running = await startCli(['locks', 'acquire', user('taken'), '--lease', '3', '--', ...script(text)], {
      env: envOf(kind),
    })
    await waitFor(() => existsSync(join(folder, 'up')), { what: 'the command to run' })
    await test.query('select * from interlock.release_resource($1)', [user('taken')])
    const { code, stderr } = await running.ended()
    expect(code).toBe(4)
    expect(stderr).toContain('the lock was lost while the command ran')
  })

  it('release of what a job holds stops the job first, and only the one that is named', async () => {
    const name = user('runs').slice(5)
    await test.query('select interlock.enqueue_jobs($1)', [JSON.stringify([{ task: 't', id: name, user: name }])])
    const job = await agent.claimOne()
    expect(await interlock('locks', 'release', user('runs'), '--job', '123')).toMatchObject({ code: 4 })
    expect((await interlock('locks', 'release', user('runs'), '--job', name, '--reason', 'hangs')).stdout).toBe(
      `job ${name} was asked to stop, and holds until its process is gone\n`,
    )
    expect(await holders(user('runs'))).toEqual([name])
    await test.query('select interlock.confirm_cancel($1, $2)', [job.job_id, job.token])
    expect(await holders(user('runs'))).toEqual([])
  })

  it('sweep tells with --dry-run and releases without', async () => {
    const lock = await acquire(user('old'))
    const dry = await interlock('locks', 'sweep', '--older-than', '0', '--dry-run')
    expect(dry.stdout).toMatch(new RegExp(`lock ${lock.lock_id} .*would be released +${user('old')}`))
    expect((await interlock('locks', 'sweep', '--older-than', '3600')).stdout).toContain('nothing is held for longer')
    expect((await interlock('locks', 'sweep', '--older-than', '0')).stdout).toMatch(/ released /)
    expect(await holders(user('old'))).toEqual([])
  })

  it('acquire --dry-run shows who holds it, and writes nothing', async () => {
    const lock = await acquire(user('dry'))
    const { code, stdout } = await interlock('locks', 'acquire', user('dry'), '--owner', 'me', '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toContain(`would lock ${user('dry')} for me`)
    expect(stdout).toContain(`lock ${lock.lock_id}`)
    expect(await test.query(`select from interlock.jobs where queue = 'locks'`)).toHaveLength(1)
    await interlock('locks', 'release', lock.lock_id)
  })
})

it.each([
  [['locks', 'acquire', 'alice']],
  [['locks', 'acquire', '--', 'true']],
  [['locks', 'acquire', 'user:alice', '--lease', '0']],
  [['locks', 'sweep']],
  [['locks', 'extend', 'a1']],
])('%j is a mistake in typing: 2', async (args) => {
  expect(await runCli(args, { env: { DATABASE_URL: test.url } })).toMatchObject({ code: 2, stdout: '' })
})

it('a command that does not exist is named, and the lock is released', async () => {
  const result = await runCli(['locks', 'acquire', 'user:nobody', '--', 'no-such-program'], {
    env: { DATABASE_URL: test.url },
  })
  expect(result).toMatchObject({ code: 2, stdout: '' })
  expect(result.stderr).toContain('no-such-program cannot be run')
  expect(await holders('user:nobody')).toEqual([])
})

import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPseudoTerminal, runOnTerminal, type TerminalRun } from '../cli/pseudo-terminal.ts'
import { runCli } from '../cli/run-cli.ts'
import { waitFor } from '../support/wait-for.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

const breakingScreen = fileURLToPath(new URL('../fixtures/breaking-screen.ts', import.meta.url))

let doors: Doors

beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

const monitor = (env: Readonly<Record<string, string>>) =>
  runOnTerminal({ columns: 100, rows: 30, env, args: ['monitor', '--refresh-seconds', '0.5'] })
const [enterOther, leaveOther, hideCursor, showCursor] = [
  '\u001b[?1049h',
  '\u001b[?1049l',
  '\u001b[?25l',
  '\u001b[?25h',
]

/** The settings of the terminal, the screen and the cursor are as they were. */
function expectGivenBack(run: TerminalRun): void {
  const raw = run.raw()
  const [, before] = /before (\S+)/.exec(raw) ?? []
  const [, after] = /after (\S+)/.exec(raw) ?? []
  expect(before).toBeDefined()
  expect(after).toBe(before)
  expect(raw.lastIndexOf(leaveOther)).toBeGreaterThan(raw.lastIndexOf(enterOther))
  expect(raw.lastIndexOf(enterOther)).toBeGreaterThan(0)
  expect(raw.lastIndexOf(showCursor)).toBeGreaterThan(raw.lastIndexOf(hideCursor))
}

async function statusOf(id: string): Promise<unknown> {
  return (await doors.http.get(`/jobs/${id}`)).json.status
}

describe.skipIf(!hasPseudoTerminal)(
  'feature 25: the live monitor in a terminal (skipped without script of util-linux)',
  { timeout: 120_000 },
  () => {
    it('shows a job over HTTP, opens it, and cancels it after two yeses; then leaves the terminal as it was', async () => {
      await doors.http.post('/jobs', { id: 'busy', task: 'resize', user: 'alice' })
      await doors.agent.claim()
      await doors.http.post('/jobs', { id: 'blocked', task: 'resize', user: 'alice' })
      const run = await monitor({ INTERLOCK_URL: doors.http.url })
      await run.sees('Waiting 1')
      await run.sees('User conflict: alice in use by normal job busy')
      run.type('\u001b[B')
      await run.sees('> blocked')
      run.type('\r')
      await run.sees('Job blocked')
      await run.sees(/blocked by +busy/)
      run.type('c')
      await run.sees('Cancel blocked (resize of alice, pending)? y/n')
      run.type('y')
      await run.sees('Really cancel blocked')
      expect(await statusOf('blocked')).toBe('pending')
      run.type('y')
      await waitFor(async () => (await statusOf('blocked')) === 'cancelled', { what: 'the job to be cancelled' })
      await run.sees('blocked cancelled')
      run.type('q')
      expect(await run.ended()).toBe(0)
      expectGivenBack(run)
      expect((await doors.http.get('/jobs/blocked')).json.reason).toBe('cancelled in the monitor')
      const [event] = await doors.test.query(
        `select actor from interlock.job_queue_log where job_id = 'blocked' and to_status = 'cancelled'`,
      )
      expect(event).toEqual({ actor: 'tester' })
    })

    it('pauses and resumes a queue straight in the database, filters, and ends at Ctrl-C', async () => {
      const run = await monitor({ DATABASE_URL: doors.test.url, NO_COLOR: '1' })
      await run.sees('Running 1')
      const isPaused = async () =>
        (await doors.test.query(`select is_paused from interlock.queues where name = 'default'`))[0]?.is_paused
      run.type('p')
      await run.sees('Pause queue default? What runs goes on. y/n')
      run.type('y')
      await run.sees('queue default paused')
      expect(await isPaused()).toBe(true)
      // What p asks is of the queue as the screen has it.
      await run.sees('· paused')
      run.type('p')
      await run.sees('Resume queue default? y/n')
      run.type('y')
      await run.sees('queue default resumed')
      expect(await isPaused()).toBe(false)
      run.type('/')
      await run.sees('filter: █')
      run.type('nobody')
      await run.sees('nothing that runs fits the filter')
      run.type('\u0003')
      expect(await run.ended()).toBe(0)
      expectGivenBack(run)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are what is looked for
      expect(run.raw()).not.toMatch(/\u001b\[3[0-7]m/)
    })

    it('says that the coordinator is away, from the start or in between, and goes on when it is there', async () => {
      const { port } = new URL(doors.http.url)
      // A door of its own, which can be shut: what it lets through is the coordinator's.
      let isShut = true
      const gate = createServer(async (request, response) => {
        if (isShut) return void request.socket.destroy()
        const answer = await fetch(`http://127.0.0.1:${port}${request.url}`)
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
      }).listen(0, '127.0.0.1')
      await new Promise((done) => gate.once('listening', done))
      const { port: gatePort } = gate.address() as { readonly port: number }
      const run = await monitor({ INTERLOCK_URL: `http://127.0.0.1:${gatePort}` })
      await run.sees(/cannot be reached: .*; trying again/)
      isShut = false
      await run.sees('Running 1')
      const since = run.raw().length
      isShut = true
      await run.sees('trying again', { since })
      await run.sees('no answer for', { since })
      run.type('q')
      expect(await run.ended()).toBe(0)
      expectGivenBack(run)
      gate.close()
    })

    it('fits itself to a new size, and gives the terminal back when it is ended from outside', async () => {
      const run = await monitor({ INTERLOCK_URL: doors.http.url })
      await run.sees(`Running 1 ${'─'.repeat(80)}`)
      const since = run.raw().length
      run.resize(70, 20)
      await run.sees(new RegExp(`Running 1 ${'─'.repeat(58)}(?!─)`), { since })
      run.kill('SIGTERM')
      expect(await run.ended()).toBe(0)
      expectGivenBack(run)
    })

    it.each([
      ['in the drawing', 'drawing'],
      ['anywhere else', 'elsewhere'],
    ])('gives the terminal back when something breaks %s, and the error is read on it', async (_, where) => {
      const run = await runOnTerminal({ columns: 80, rows: 24, env: {}, program: breakingScreen, args: [where] })
      await run.sees('all is well')
      run.type('x')
      expect(await run.ended()).toBe(1)
      expectGivenBack(run)
      expect(run.raw().slice(run.raw().lastIndexOf(leaveOther))).toContain(`broken on purpose, ${where}`)
    })
  },
)

describe('feature 25: the monitor without a terminal', { timeout: 60_000 }, () => {
  it.each([
    ['over HTTP', () => ({ INTERLOCK_URL: doors.http.url })],
    ['straight on a database', () => ({ DATABASE_URL: doors.test.url })],
  ])('prints one screen as plain text %s, no wider than 80 columns', async (_, env) => {
    for (const flags of [[], ['--once']]) {
      const { code, stdout, stderr } = await runCli(['monitor', ...flags], { env: { ...env(), NO_COLOR: '' } })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/^interlock monitor · \S+ +\d\d:\d\d:\d\d · every 2 s\npressure low /)
      expect(stdout).toMatch(/\n {2}busy +resize +alice .*running\n/)
      expect(stdout).not.toContain('\u001b')
      expect(stdout.split('\n').filter((line) => [...line].length > 80)).toEqual([])
    }
  })

  it('prints all that it knows as JSON, and refuses a pace that is none', async () => {
    const env = { INTERLOCK_URL: doors.http.url }
    const known = JSON.parse((await runCli(['monitor', '--json'], { env })).stdout)
    expect(Object.keys(known)).toEqual(['status', 'agents', 'allocation', 'queues', 'alarms'])
    expect(known.status.active_jobs).toMatchObject([{ job_id: 'busy' }])
    for (const pace of ['0', 'x', '1e9']) {
      const { code, stderr } = await runCli(['monitor', '--refresh-seconds', pace], { env })
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`--refresh-seconds is ${pace}`) })
    }
  })

  it('ends with 6 when nothing answers', async () => {
    const { code, stdout, stderr } = await runCli(['monitor', '--once', '--url', 'http://127.0.0.1:64999'])
    expect({ code, stdout }).toEqual({ code: 6, stdout: '' })
    expect(stderr).toMatch(/^error: .*ECONNREFUSED/)
  })
})

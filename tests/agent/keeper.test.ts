import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Keeper, type KeptProcess } from '../../src/agent/keeper.ts'
import type { JobExit } from '../../src/agent/keeper-messages.ts'
import { monotonicMs } from '../../src/agent/monotonic-clock.ts'
import type { Line } from '../../src/agent/output-lines.ts'
import { waitFor } from '../support/wait-for.ts'
import { createMark, findMarked, peakMegabytes } from './marked-processes.ts'

const silent = () => undefined
const environment = { PATH: process.env.PATH ?? '' }
let keeper: Keeper
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'interlock-keeper-'))
  keeper = new Keeper({
    killBudgetMs: 2000,
    environment,
    log: { debug: silent, info: silent, warn: silent, error: silent },
  })
  await keeper.open()
  keeper.extendLease(monotonicMs() + 600_000)
})

afterAll(async () => {
  await keeper.close()
  await rm(folder, { recursive: true })
})

interface Run {
  readonly kept: KeptProcess
  readonly exit: Promise<JobExit>
  readonly out: { stdout: string; stderr: string }
  readonly controls: Line[]
}

let runs = 0

function run(
  command: readonly string[],
  options: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Run {
  const out = { stdout: '', stderr: '' }
  const controls: Line[] = []
  const kept = keeper.run(
    {
      key: `run-${++runs}`,
      command,
      cwd: folder,
      environment: { ...environment, ...options.env },
      input: options.input ?? '',
      hasChannel: false,
    },
    {
      onOutput: (stream, text) => {
        out[stream] += `${text}\n`
      },
      onControl: (line) => controls.push(line),
    },
  )
  return { kept, exit: kept.exit, out, controls }
}

describe('a job under the keeper', () => {
  it('gets its input on stdin, and what it prints arrives by line, apart from its control lines', async () => {
    const script = 'cat; echo out; echo err >&2; echo "::interlock progress 45 Resizing"; printf "no newline"; exit 3'
    const { exit, out, controls } = run(['sh', '-c', script], { input: '{"job_id":"a1"}\n' })
    expect(await exit).toMatchObject({
      exitCode: 3,
      signal: null,
      stopCause: null,
      startError: null,
      strays: 0,
      left: 0,
    })
    expect(out).toEqual({ stdout: '{"job_id":"a1"}\nout\nno newline\n', stderr: 'err\n' })
    expect(controls).toEqual([{ text: '::interlock progress 45 Resizing', isCut: false }])
  })

  it('that does not read its stdin is not the worse for a large one', async () => {
    const { exit } = run(['sh', '-c', 'exit 0'], { input: 'x'.repeat(1_000_000) })
    expect(await exit).toMatchObject({ exitCode: 0 })
  })

  it('gets arguments as they are: no shell reads them', async () => {
    const { exit, out } = run(['printf', '%s|', '$HOME', '`id`', 'a b', ';', ''])
    await exit
    expect(out.stdout).toBe('$HOME|`id`|a b|;||\n')
  })

  it('inherits nothing but what it is given, and the keeper’s mark', async () => {
    const { exit, out } = run(['env'], { env: { ONE: '1' } })
    await exit
    const names = out.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names.sort()).toEqual(['INTERLOCK_KEEPER', 'INTERLOCK_START', 'ONE', 'PATH'])
  })

  it('that cannot be started says why', async () => {
    expect(await run(['/nowhere/at-all']).exit).toMatchObject({
      startError: 'spawn /nowhere/at-all ENOENT',
      exitCode: null,
    })
    expect(await run(['a\0b']).exit).toMatchObject({ startError: expect.stringContaining('null bytes') })
  })

  it('that ends is ended whole: what it left in the background is gone before its end is told', async () => {
    const mark = createMark()
    const script = 'sleep 1000 & setsid sleep 1000 & sleep 0.05; echo done'
    const { exit, out } = run(['sh', '-c', script], { env: { [mark.name]: mark.value } })
    expect(await exit).toMatchObject({ exitCode: 0, strays: 2, left: 0 })
    expect(findMarked(mark)).toEqual([])
    expect(out.stdout).toBe('done\n')
  })

  it('stops at SIGTERM when asked, with time to clean up', async () => {
    const script = 'trap "echo cleaned; exit 9" TERM; echo ready; while :; do sleep 0.05; done'
    const { kept, exit, out } = run(['sh', '-c', script])
    await waitFor(() => out.stdout.includes('ready'), { what: 'the job to be ready' })
    kept.stop(10_000)
    expect(await exit).toMatchObject({ exitCode: 9, stopCause: 'asked' })
    expect(out.stdout).toBe('ready\ncleaned\n')
  })

  it('is killed after the grace when it is deaf to SIGTERM, sooner when it is hurried', async () => {
    const { kept, exit, out } = run(['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'])
    await waitFor(() => out.stdout.includes('ready'), { what: 'the job to be ready' })
    kept.stop(600_000)
    await sleep(100)
    const before = performance.now()
    kept.stop(200)
    expect(await exit).toMatchObject({ exitCode: null, signal: 'SIGKILL', stopCause: 'asked' })
    expect(performance.now() - before).toBeLessThan(2000)
  })

  it('that is stopped (SIGSTOP) is ended all the same', async () => {
    const mark = createMark()
    const { kept, exit } = run(['sh', '-c', 'kill -STOP $$; exit 5'], { env: { [mark.name]: mark.value } })
    await waitFor(() => findMarked(mark)[0]?.state === 'T', { what: 'the job to stand still' })
    kept.stop(200)
    expect(await exit).toMatchObject({ stopCause: 'asked', left: 0 })
  })

  it('waits in its write while the agent cannot take more, and goes on when it can', async () => {
    const script = `i=0; while [ $i -lt 400 ]; do head -c 8192 /dev/zero | tr '\\0' x; echo; i=$((i+1)); done; : > finished`
    const { kept, exit, out } = run(['sh', '-c', script])
    kept.pause()
    await sleep(700)
    expect(existsSync(join(folder, 'finished'))).toBe(false)
    expect(out.stdout.length).toBeLessThan(2_000_000)
    kept.resume()
    await exit
    expect(out.stdout.length).toBe(400 * 8193)
  })

  it('that prints 200 MB costs the agent 10 MiB and the keeper no more memory; its last words are still heard', async () => {
    const script = 'yes 0123456789 | head -c 200000000; echo; echo "::interlock result 5"; echo "{}"; echo'
    const { exit, out, controls } = run(['sh', '-c', script])
    const { lastLine, exitCode } = await exit
    expect({ lastLine, exitCode }).toEqual({ lastLine: { text: '{}', isCut: false }, exitCode: 0 })
    expect(controls).toEqual([{ text: '::interlock result 5', isCut: false }])
    expect(out.stdout.length).toBeGreaterThan(10 * 1024 * 1024)
    expect(out.stdout.length).toBeLessThan(10.2 * 1024 * 1024)
    expect(peakMegabytes(keeper.pid ?? 0)).toBeLessThan(250)
  })

  it('that prints one line of 100 MB costs no more than a line', async () => {
    const { exit, out } = run(['sh', '-c', `head -c 100000000 /dev/zero | tr '\\0' x; echo; echo after`])
    expect(await exit).toMatchObject({ lastLine: { text: 'after' } })
    expect(out.stdout).toBe(`${'x'.repeat(64 * 1024)} [line cut]\nafter\n`)
    expect(peakMegabytes(keeper.pid ?? 0)).toBeLessThan(250)
  })

  it('is not started without a lease', async () => {
    const other = new Keeper({
      killBudgetMs: 500,
      environment,
      log: { debug: silent, info: silent, warn: silent, error: silent },
    })
    await other.open()
    const start = { key: 'k', command: ['true'], cwd: null, environment, input: '', hasChannel: false }
    const listener = { onOutput: silent, onControl: silent }
    expect(await other.run(start, listener).exit).toMatchObject({ stopCause: 'lease_lost', exitCode: null })
    other.extendLease(monotonicMs() + 10_000)
    expect(await other.run(start, listener).exit).toMatchObject({ stopCause: null, exitCode: 0 })
    await other.close()
    expect(await other.run(start, listener).exit).toMatchObject({ stopCause: 'keeper_lost' })
  })
})

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Keeper } from '../../src/agent/keeper.ts'
import { monotonicMs } from '../../src/agent/monotonic-clock.ts'
import { judgeExit } from '../../src/agent/outcome.ts'
import type { Line } from '../../src/agent/output-lines.ts'
import { ownEntry } from '../../src/agent/own-entry.ts'
import { assignmentToJson } from '../../src/domain/assignment-json.ts'
import { asFencingToken, asJobId } from '../../src/domain/ids.ts'
import { jsonLine, parseControlLine } from '../../src/domain/job-protocol.ts'
import { waitFor } from '../support/wait-for.ts'

const silent = () => undefined
const environment = { PATH: process.env.PATH ?? '' }
const summarise = fileURLToPath(new URL('../fixtures/agent/summarise.ts', import.meta.url))
const resize = fileURLToPath(new URL('../fixtures/agent/resize.ts', import.meta.url))
let keeper: Keeper
let runs = 0

beforeAll(async () => {
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  keeper = new Keeper({ killBudgetMs: 2000, environment, log })
  await keeper.open()
  keeper.extendLease(monotonicMs() + 600_000)
})

afterAll(() => keeper.close())

function start(payload: Record<string, unknown>, path = resize) {
  const job = {
    jobId: asJobId('a7'),
    token: asFencingToken(41),
    task: 'resize',
    kind: 'normal',
    user: 'alice',
    project: null,
    queue: 'default',
    attempt: 2,
    maxAttempts: 3,
    timeoutSeconds: 60,
    payload,
    resources: ['user:alice'],
    fences: { 'user:alice': 41 },
  }
  const out = { stdout: '', stderr: '' }
  const controls: Line[] = []
  const kept = keeper.run(
    {
      key: `module-${++runs}`,
      command: [process.execPath, ownEntry('module-runner'), path],
      cwd: null,
      environment,
      input: jsonLine(assignmentToJson(job)),
      hasChannel: true,
      isInputOpen: true,
    },
    {
      onOutput: (stream, text) => {
        out[stream] += `${text}\n`
      },
      onControl: (line) => controls.push(line),
    },
  )
  const outcome = kept.exit.then((exit) => {
    const said = controls.map(({ text }) => parseControlLine(text))
    const of = (kind: 'result' | 'error') => {
      const last = said.findLast((control) => control.kind === kind)
      return last?.kind === kind ? { text: last.json, isCut: false } : null
    }
    const result = of('result')
    const error = of('error')
    return judgeExit({ exit, stopReason: null, result, error, timeoutSeconds: 60, memoryMb: null, isModule: true })
  })
  return { kept, out, controls, outcome }
}

describe('a task that is a module', () => {
  it('gets its payload validated, its token and fences, and returns its result', async () => {
    const { outcome, out, controls } = start({ url: 'x.png', width: 100 })
    expect(await outcome).toEqual({
      kind: 'completed',
      result: { url: 'x.png', width: 100, token: 41, fences: { 'user:alice': 41 }, jobId: 'a7', attempt: 2 },
    })
    expect(out.stderr).toBe('careful\n')
    expect(controls[0]?.text).toBe('::interlock progress 50 half way')
    expect(controls[1]?.text).toBe('::interlock step draw it')
    // What it prints is output, and cannot be taken for its result.
    expect(out.stdout).toBe('resizing x.png\n::interlock result "forged"\n')
  })

  it('fails for good when its payload is invalid, and the error names the field', async () => {
    const { outcome } = start({ url: 'x.png', width: -1 })
    expect(await outcome).toMatchObject({
      kind: 'failed',
      retry: 'never',
      error: {
        code: 'invalid_input',
        field: 'payload.width',
        message: expect.stringContaining('width:'),
        exit_code: 77,
      },
    })
  })

  it('names every field of its payload that is wrong, whatever library wrote the schema', async () => {
    const { outcome, out } = start({ says: {}, words: 0 }, summarise)
    expect(await outcome).toMatchObject({
      retry: 'never',
      error: { code: 'invalid_input', field: 'payload.words', message: expect.stringMatching(/^words: .*>=1/) },
    })
    expect(out.stdout).toBe('')
  })

  it('returns what its output schema makes of its result, its payload filled in by its input schema', async () => {
    const { outcome } = start({ says: { title: ' Cats ', mood: 'dropped' } }, summarise)
    expect(await outcome).toEqual({ kind: 'completed', result: { title: 'Cats', words: 10 } })
  })

  it('fails, to be tried again, when its result is not of its output schema, and the error names the field', async () => {
    const { outcome } = start({ says: { title: 7 } }, summarise)
    expect(await outcome).toMatchObject({
      kind: 'failed',
      retry: 'auto',
      error: { code: 'invalid_output', field: 'result.title', message: expect.stringMatching(/^title: /) },
    })
  })

  it('fails with the message and the stack of what it threw', async () => {
    const { outcome } = start({ url: 'x.png', width: 1, mood: 'throw' })
    expect(await outcome).toMatchObject({
      kind: 'failed',
      retry: 'auto',
      error: {
        message: 'no such picture',
        code: 'exception',
        stack: expect.stringContaining('fixtures/agent/resize.ts:'),
      },
    })
  })

  it('can say that trying again is useless', async () => {
    const { outcome } = start({ url: 'x.png', width: 1, mood: 'never' })
    expect(await outcome).toMatchObject({
      kind: 'failed',
      retry: 'never',
      error: { message: 'gone for good', code: 'gone' },
    })
  })

  it('fails when it exits by itself before it returned', async () => {
    const { outcome } = start({ url: 'x.png', width: 1, mood: 'exit' })
    expect(await outcome).toMatchObject({ kind: 'failed', error: { code: 'no_result' } })
  })

  it('fails when something that nobody waited for throws', async () => {
    const { outcome } = start({ url: 'x.png', width: 1, mood: 'later' })
    expect(await outcome).toMatchObject({ kind: 'failed', error: { message: 'nobody waited' } })
  })

  it('is over when it returned, whatever timers it left', async () => {
    const { outcome } = start({ url: 'x.png', width: 1, mood: 'linger' })
    expect(await outcome).toMatchObject({ kind: 'completed' })
  })

  it('sees its signal aborted when it is stopped, and may clean up', async () => {
    const { kept, out } = start({ url: 'x.png', width: 1, mood: 'wait' })
    await waitFor(() => out.stdout.includes('forged'), { what: 'the task to run' })
    kept.stop(10_000)
    expect(await kept.exit).toMatchObject({ exitCode: 0, stopCause: 'asked' })
    expect(out.stdout).toContain('cleaning up')
  })

  it('that exports no task, or is not there, fails with a sentence that says so', async () => {
    const noTask = start({}, fileURLToPath(new URL('./marked-processes.ts', import.meta.url)))
    expect(await noTask.outcome).toMatchObject({ retry: 'never', error: { code: 'no_task' } })
    const nowhere = start({}, '/nowhere/task.ts')
    expect(await nowhere.outcome).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringContaining('/nowhere/task.ts') },
    })
  })
})

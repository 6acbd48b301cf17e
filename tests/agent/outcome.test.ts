import { describe, expect, it } from 'vitest'
import { exitWithoutProcess, type JobExit } from '../../src/agent/keeper-messages.ts'
import { type Findings, judgeExit, judgeStop } from '../../src/agent/outcome.ts'

function judge(exit: Partial<JobExit>, findings: Partial<Findings> = {}) {
  return judgeExit({
    exit: exitWithoutProcess('k', exit),
    stopReason: null,
    result: null,
    error: null,
    timeoutSeconds: 30,
    memoryMb: null,
    isModule: false,
    ...findings,
  })
}

const line = (text: string, isCut = false) => ({ text, isCut })

describe('judgeExit', () => {
  it.each([
    ['nothing', {}, null],
    ['a last line that is a JSON object', { lastLine: line('{"ok":true}') }, { ok: true }],
    ['a last line that only looks like one', { lastLine: line('{ braces }') }, null],
    ['a last line that is JSON but no object', { lastLine: line('[1]') }, null],
  ])('completes a command that exits with 0 after %s', (_, exit, result) => {
    expect(judge({ exitCode: 0, ...exit })).toEqual({ kind: 'completed', result })
  })

  it('prefers the result that was declared to the last line, and takes any JSON', () => {
    const exit = { exitCode: 0, lastLine: line('{"last":1}') }
    expect(judge(exit, { result: line('[1,"two"]') })).toEqual({ kind: 'completed', result: [1, 'two'] })
  })

  it('repairs what jsonb cannot hold', () => {
    const result = line('{"a\\u0000":"x\\u0000y","b":"\\ud800"}')
    expect(judge({ exitCode: 0 }, { result })).toEqual({
      kind: 'completed',
      result: { 'a\uFFFD': 'x\uFFFDy', b: '\uFFFD' },
    })
  })

  it.each([
    ['no JSON', line('{oops'), 'is not JSON'],
    ['longer than 1 MiB', line('"', true), 'is longer than'],
    ['nested too deep', line('['.repeat(100) + ']'.repeat(100)), 'is nested deeper'],
  ])('fails a job for good whose declared result is %s', (_, result, problem) => {
    expect(judge({ exitCode: 0 }, { result })).toMatchObject({
      kind: 'failed',
      retry: 'never',
      error: { code: 'bad_result', message: expect.stringContaining(problem) },
    })
  })

  it.each([
    [1, 'auto'],
    [2, 'auto'],
    [75, 'now'],
    [77, 'never'],
    [255, 'auto'],
  ])('fails a command that exits with %i, and retries it: %s', (exitCode, retry) => {
    expect(judge({ exitCode, errorTail: 'first\nno such file\n' })).toEqual({
      kind: 'failed',
      retry,
      error: {
        message: `ended with exit code ${exitCode}: no such file`,
        code: 'exit_code',
        exit_code: exitCode,
        stack: 'first\nno such file\n',
      },
    })
  })

  it('names the signal that killed it', () => {
    expect(judge({ signal: 'SIGSEGV' })).toMatchObject({
      retry: 'auto',
      error: { message: 'was killed by SIGSEGV', code: 'signal', signal: 'SIGSEGV' },
    })
  })

  it('takes the error that it declared', () => {
    const error = line('{"message":"no width","code":"invalid_input","stack":"at x","field":"payload.width"}')
    expect(judge({ exitCode: 77 }, { error })).toMatchObject({
      error: { message: 'no width', code: 'invalid_input', stack: 'at x', field: 'payload.width', exit_code: 77 },
    })
  })

  it('fails a module that ended before it returned, though it exits with 0', () => {
    const exit = { exitCode: 0, lastLine: line('{"forged":true}') }
    expect(judge(exit, { isModule: true })).toMatchObject({ kind: 'failed', error: { code: 'no_result' } })
  })

  it.each([
    ['cancelled', { kind: 'cancelled' }],
    [
      'timeout',
      { kind: 'failed', retry: 'auto', error: { code: 'timeout', message: 'stopped after 30 s', signal: 'SIGKILL' } },
    ],
    ['drained', { kind: 'returned' }],
    ['lock_lost', { kind: 'returned' }],
    ['stale_token', { kind: 'forgotten', reason: 'stale_token' }],
    ['incarnation_gone', { kind: 'forgotten', reason: 'incarnation_gone' }],
  ] as const)('goes by why the agent stopped it: %s', (stopReason, outcome) => {
    expect(judge({ signal: 'SIGKILL' }, { stopReason })).toMatchObject(outcome)
    expect(judge({ exitCode: 0, lastLine: line('{}') }, { stopReason })).toMatchObject({ kind: outcome.kind })
  })

  it('forgets what the keeper ended because the lease was over', () => {
    expect(judge({ stopCause: 'lease_lost' })).toEqual({ kind: 'forgotten', reason: 'lease_lost' })
  })

  it('counts it as a failure when the keeper died: a job may be what killed it', () => {
    expect(judge({ stopCause: 'keeper_lost' })).toMatchObject({ kind: 'failed', retry: 'now' })
  })

  it('bounds what a failure says', () => {
    const outcome = judge({ exitCode: 1, errorTail: `${'e'.repeat(100_000)}` })
    expect(JSON.stringify(outcome).length).toBeLessThan(16_384)
  })
})

describe('judgeStop', () => {
  it('has nothing to say of a job that nobody stopped', () => {
    expect(judgeStop(null, 30)).toBeNull()
  })
})

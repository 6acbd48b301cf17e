import { exitCodes, jobLimits } from '../domain/job-protocol.ts'
import { parseStorableJson, storableText } from '../domain/storable-text.ts'
import type { JobError, Retry } from '../store/attempts.ts'
import type { JobExit } from './keeper-messages.ts'
import type { Line } from './output-lines.ts'

/** How an attempt ended, as a value; each is told to the database by one verb, or by none. */
export type Outcome =
  | { readonly kind: 'completed'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: JobError; readonly retry: Retry }
  | { readonly kind: 'cancelled'; readonly error: JobError | null }
  | { readonly kind: 'returned'; readonly reason: string }
  /** Nothing that it says would be accepted, or ought to be: it is somebody else's job now. */
  | { readonly kind: 'forgotten'; readonly reason: ForgetReason }

export type ForgetReason = 'stale_token' | 'lease_lost' | 'incarnation_gone'

/** Why the agent stops a job. The later ones outweigh the earlier: what may not be written outweighs what might be. */
export const stopReasons = [
  'drained',
  'timeout',
  'stalled',
  'cancelled',
  'lock_lost',
  'lease_lost',
  'incarnation_gone',
  'stale_token',
] as const

export type StopReason = (typeof stopReasons)[number]

/** What a process said before it ended. */
export interface Findings {
  readonly exit: JobExit
  readonly stopReason: StopReason | null
  /** The control lines `result` and `error`, the last of each. */
  readonly result: Line | null
  readonly error: Line | null
  readonly timeoutSeconds: number
  /** The most that its processes may use together; null: no limit. */
  readonly memoryMb: number | null
  /** A module's result comes on its channel or not at all; a command's last line will do. */
  readonly isModule: boolean
}

/** What a job that was stopped before its process began comes to; null: it was not stopped. */
export function judgeStop(stopReason: StopReason | null, timeoutSeconds: number): Outcome | null {
  return stopReason === null ? null : stopped(stopReason, timeoutSeconds, {})
}

export function judgeExit(findings: Findings): Outcome {
  const { exit, stopReason } = findings
  const facts = factsOf(exit)
  if (stopReason !== null) return stopped(stopReason, findings.timeoutSeconds, facts)
  if (exit.stopCause === 'lease_lost') return { kind: 'forgotten', reason: 'lease_lost' }
  if (exit.stopCause === 'keeper_lost' || exit.stopCause === 'agent_gone') {
    // Counted as an attempt: a job that takes its keeper with it each time must come to an end.
    return failed('now', { message: 'its keeper process died, and it was ended', code: 'keeper_lost', ...facts })
  }
  if (exit.stopCause === 'out_of_memory') {
    const message = `its processes used more than ${findings.memoryMb} MB of memory, and were ended`
    return failed('auto', { message, code: 'out_of_memory', ...facts })
  }
  if (exit.startError !== null) {
    return failed('auto', { message: `cannot be started: ${exit.startError}`, code: 'start_failed' })
  }
  return exit.exitCode === exitCodes.completed ? judgeResult(findings) : judgeFailure(findings)
}

function stopped(reason: StopReason, timeoutSeconds: number, facts: Partial<JobError>): Outcome {
  switch (reason) {
    case 'drained':
      return { kind: 'returned', reason: 'its agent was stopped' }
    case 'lock_lost':
      return { kind: 'returned', reason: 'its agent lost its connection' }
    case 'cancelled':
      return { kind: 'cancelled', error: { message: 'stopped because it was cancelled', code: 'cancelled', ...facts } }
    case 'timeout':
      return failed('auto', { message: `stopped after ${timeoutSeconds} s`, code: 'timeout', ...facts })
    case 'stalled':
      return failed('auto', { message: 'it gave no sign of life and was stopped', code: 'stalled', ...facts })
    default:
      return { kind: 'forgotten', reason }
  }
}

function judgeResult({ exit, result, isModule }: Findings): Outcome {
  if (result !== null) {
    const json = readJson(result)
    if (json.ok) return { kind: 'completed', result: json.json }
    return failed('never', { message: `its result ${json.problem}`, code: 'bad_result', exit_code: 0 })
  }
  if (isModule) return failed('auto', { message: 'it ended before run() returned', code: 'no_result', exit_code: 0 })
  const { lastLine } = exit
  if (lastLine === null || !lastLine.text.startsWith('{')) return { kind: 'completed', result: null }
  const json = readJson(lastLine)
  if (json.ok) return { kind: 'completed', result: json.json }
  if (lastLine.isCut)
    return failed('never', { message: `its result ${json.problem}`, code: 'bad_result', exit_code: 0 })
  return { kind: 'completed', result: null }
}

function readJson(line: Line): ReturnType<typeof parseStorableJson> {
  if (line.isCut) return { ok: false, problem: `is longer than ${jobLimits.resultBytes} bytes` }
  return parseStorableJson(line.text, { bytesMax: jobLimits.resultBytes })
}

function judgeFailure({ exit, error }: Findings): Outcome {
  const said = error === null ? null : readJson(error)
  const told = said?.ok === true && typeof said.json === 'object' && said.json !== null ? said.json : {}
  const { message, code, stack, field } = told as Record<string, unknown>
  const { exitCode, signal } = exit
  const end = signal === null ? `ended with exit code ${exitCode}` : `was killed by ${signal}`
  const lastWords = exit.errorTail.trimEnd().split('\n').at(-1)?.trim().slice(0, 500) ?? ''
  const retry = exitCode === exitCodes.retry ? 'now' : exitCode === exitCodes.fatal ? 'never' : 'auto'
  return failed(retry, {
    ...factsOf(exit),
    message: typeof message === 'string' ? message : lastWords === '' ? end : `${end}: ${lastWords}`,
    code: typeof code === 'string' ? code : signal === null ? 'exit_code' : 'signal',
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(typeof field === 'string' ? { field } : {}),
  })
}

function failed(retry: Retry, error: JobError): Outcome {
  return { kind: 'failed', retry, error: boundError(error) }
}

function factsOf(exit: JobExit): Partial<JobError> {
  return {
    ...(exit.exitCode === null ? {} : { exit_code: exit.exitCode }),
    ...(exit.signal === null ? {} : { signal: exit.signal }),
    ...(exit.errorTail === '' ? {} : { stack: exit.errorTail }),
  }
}

// The database keeps 16 KiB of an error; of a stack the end says most when it is output, the beginning when it is a trace.
function boundError(error: JobError): JobError {
  const { stack } = error
  return {
    ...error,
    message: storableText(error.message).slice(0, 4096),
    code: error.code.slice(0, 200),
    ...(stack === undefined ? {} : { stack: storableText(stack).slice(0, jobLimits.stackBytes) }),
  }
}

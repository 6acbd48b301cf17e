import type { MemoryLimiting } from './memory-limits.ts'
import type { Line } from './output-lines.ts'

/** What the agent says to its keeper: newline-delimited JSON over a socket pair. `key` names one start of a job. */
export type KeeperCommand =
  /** The lease holds until then, by the monotonic clock, which all processes of a machine share. */
  | { readonly type: 'lease'; readonly untilMs: number }
  | ({ readonly type: 'start' } & JobStart)
  | { readonly type: 'stop'; readonly key: string; readonly graceMs: number }
  | { readonly type: 'input'; readonly key: string; readonly text: string }
  | { readonly type: 'pause' | 'resume'; readonly key: string }

export interface JobStart {
  readonly key: string
  readonly command: readonly string[]
  readonly cwd: string | null
  /** Complete: nothing is inherited beside it. */
  readonly environment: Readonly<Record<string, string>>
  readonly input: string
  /** Its control lines come on a pipe of their own, descriptor 3, and what it prints is only output. */
  readonly hasChannel: boolean
  /** The most that its processes may use together; null or left out: no limit. */
  readonly memoryMb?: number | null
  /** Its input goes on after the first line; ended by its end unless set. */
  readonly isInputOpen?: boolean
}

export type OutputStream = 'stdout' | 'stderr'

/** Why the keeper ended a job's processes; null where they ended by themselves. */
export type StopCause = 'asked' | 'out_of_memory' | 'lease_lost' | 'agent_gone' | 'keeper_lost'

export interface JobExit {
  readonly key: string
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stopCause: StopCause | null
  /** Why it could not be started; then nothing else happened. */
  readonly startError: string | null
  readonly lastLine: Line | null
  readonly errorTail: string
  /** Processes that had outlived the job's own, and were ended. */
  readonly strays: number
  /** Processes that could not be ended. */
  readonly left: number
}

/** What the keeper says to its agent, over the same socket. */
export type KeeperEvent =
  /** `memoryLimiting` is null where no job is to be limited. */
  | { readonly type: 'ready'; readonly pid: number; readonly memoryLimiting: MemoryLimiting | null }
  | { readonly type: 'started'; readonly key: string; readonly pid: number }
  | { readonly type: 'output'; readonly key: string; readonly stream: OutputStream; readonly text: string }
  | { readonly type: 'control'; readonly key: string; readonly line: Line }
  | ({ readonly type: 'exited' } & JobExit)

/** Given to the keeper as its only argument, as JSON. */
export interface KeeperSettings {
  /** In the environment of each job as INTERLOCK_KEEPER: by it their processes are found again. */
  readonly id: string
  /** How long before the end of the lease the jobs must begin to end, SIGTERM first. */
  readonly killBudgetMs: number
  /** Whether jobs may come that have a limit of memory. */
  readonly limitsMemory: boolean
}

/** The exit of what never ran, or of which nothing is known but its end. */
export function exitWithoutProcess(key: string, known: Partial<JobExit>): JobExit {
  return {
    key,
    exitCode: null,
    signal: null,
    stopCause: null,
    startError: null,
    lastLine: null,
    errorTail: '',
    strays: 0,
    left: 0,
    ...known,
  }
}

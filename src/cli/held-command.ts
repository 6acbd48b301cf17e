import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { LockLease } from '../client/lock-lease.ts'
import { InterlockError, isInterlockError } from '../domain/errors.ts'
import type { HeldLockView } from '../domain/lock-view.ts'
import type { Backend } from './backend.ts'
import { type ExitCode, exitCodes } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

export interface HeldCommand {
  /** A program and its arguments; no shell. */
  readonly words: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly lock: HeldLockView
  readonly leaseSeconds: number
}

interface Surroundings {
  readonly backend: Backend
  readonly terminal: Terminal
  /** Aborted by Ctrl-C: the command is asked to stop. */
  readonly signal: AbortSignal
}

/** After SIGTERM, until SIGKILL. */
const killAfterMs = 10_000

/**
 * Runs a command while a lock is held: extends the lease at each third of it, releases it when the command has ended, and
 * passes on its exit code. A command that would outlive the lease, because nobody answers or the lock was taken away, is
 * stopped before: that is thrown as stale_token.
 */
export async function runHolding(held: HeldCommand, { backend, terminal, signal }: Surroundings): Promise<ExitCode> {
  const { lock, leaseSeconds } = held
  const ended = new AbortController()
  const lost = new AbortController()
  try {
    // What was granted may be older than we know; what we extend is not.
    const lease = new LockLease({
      seconds: leaseSeconds,
      extend: () => backend.extendLock(lock.lock_id, lock.token, leaseSeconds),
      lost,
      what: 'the lock was lost while the command ran, which was stopped',
    })
    await lease.extend()
    if (signal.aborted) return exitCodes.interrupted
    const child = start(held)
    stopWhen(AbortSignal.any([signal, lost.signal]), child, ended.signal)
    const keeping = lease.keep(ended.signal)
    const code = await exitCodeOf(child, held.words[0] ?? '').finally(() => ended.abort())
    await keeping
    if (lost.signal.aborted) throw lost.signal.reason
    // The command's own codes are passed on; ours are for what is ours.
    return signal.aborted ? exitCodes.interrupted : (code as ExitCode)
  } finally {
    await release(held, backend, terminal)
  }
}

function start({ words, environment, lock }: HeldCommand): ChildProcess {
  const [program = '', ...rest] = words
  // In our own process group: it has the terminal, and Ctrl-C reaches it as it would without us.
  return spawn(program, rest, {
    stdio: 'inherit',
    env: {
      ...environment,
      INTERLOCK_LOCK_ID: lock.lock_id,
      INTERLOCK_TOKEN: String(lock.token),
      INTERLOCK_FENCES: JSON.stringify(lock.fences),
    },
  })
}

function stopWhen(asked: AbortSignal, child: ChildProcess, ended: AbortSignal): void {
  const stop = () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
    ended.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }
  if (asked.aborted) stop()
  else asked.addEventListener('abort', stop, { once: true })
}

async function exitCodeOf(child: ChildProcess, program: string): Promise<number> {
  try {
    const [code, signalName] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return code ?? 128 + (signalName === null ? 0 : constants.signals[signalName])
  } catch (error) {
    throw new InterlockError('invalid_argument', `${program} cannot be run: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function release({ lock }: HeldCommand, backend: Backend, terminal: Terminal): Promise<void> {
  try {
    await backend.release({ key: lock.lock_id, jobId: null, token: lock.token, reason: null })
  } catch (error) {
    if (isInterlockError(error, 'stale_token')) return
    terminal.note(`lock ${lock.lock_id} could not be released, and ends with its lease: ${(error as Error).message}`)
  }
}

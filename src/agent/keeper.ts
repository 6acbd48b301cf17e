import { KeeperLink, type KeeperLinkOptions } from './keeper-link.ts'
import {
  exitWithoutProcess,
  type JobExit,
  type JobStart,
  type KeeperEvent,
  type OutputStream,
} from './keeper-messages.ts'
import type { MemoryLimiting } from './memory-limits.ts'
import type { Line } from './output-lines.ts'

export interface JobListener {
  readonly onOutput: (stream: OutputStream, text: string) => void
  readonly onControl: (line: Line) => void
}

/** A job's processes, seen from the agent. */
export interface KeptProcess {
  /** Settled when none of them is left; never rejected. */
  readonly exit: Promise<JobExit>
  /** SIGTERM to all of them, after the grace SIGKILL; again with a shorter grace to hurry. */
  readonly stop: (graceMs: number) => void
  /** More of its input, where that is open. */
  readonly write: (text: string) => void
  /** Holds its output back, so that the job waits in its write instead of filling our memory. */
  readonly pause: () => void
  readonly resume: () => void
}

interface Kept {
  readonly listener: JobListener
  readonly settle: (exit: JobExit) => void
}

// A keeper that dies as soon as it starts is not started in a circle.
const restartMsMin = 1000
const readyMsMax = 10_000

/** The agent's handle on its keeper process: one at a time, replaced when it dies. */
export class Keeper {
  readonly #options: KeeperLinkOptions
  readonly #kept = new Map<string, Kept>()
  #link: KeeperLink | null = null
  #leaseUntilMs: number | null = null
  #restart: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(options: KeeperLinkOptions) {
    this.#options = options
  }

  /** The pid of the keeper process; null while there is none. */
  get pid(): number | null {
    return this.#link?.pid ?? null
  }

  /** How it limits the memory of jobs; null where it need not. */
  get memoryLimiting(): MemoryLimiting | null {
    return this.#link?.memoryLimiting ?? null
  }

  /** Starts the keeper; throws if it is not ready in 10 s. */
  async open(): Promise<void> {
    this.#connect()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error('the keeper did not start in time')), readyMsMax)
    try {
      await Promise.race([this.#link?.ready, late.promise])
    } catch (error) {
      await this.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** The lease is confirmed until this moment of the monotonic clock; without one no job is started. */
  extendLease(untilMs: number): void {
    this.#leaseUntilMs = untilMs
    this.#link?.send({ type: 'lease', untilMs })
  }

  run(start: JobStart, listener: JobListener): KeptProcess {
    const { promise, resolve } = Promise.withResolvers<JobExit>()
    const { key } = start
    const link = this.#link
    this.#kept.set(key, { listener, settle: resolve })
    if (link?.send({ type: 'start', ...start }) !== true)
      this.#settle(exitWithoutProcess(key, { stopCause: 'keeper_lost' }))
    return {
      exit: promise,
      stop: (graceMs) => link?.send({ type: 'stop', key, graceMs }),
      write: (text) => link?.send({ type: 'input', key, text }),
      pause: () => link?.send({ type: 'pause', key }),
      resume: () => link?.send({ type: 'resume', key }),
    }
  }

  /** Ends all that still runs, and the keeper. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#restart !== null) clearTimeout(this.#restart)
    await this.#link?.close()
  }

  #connect(): void {
    const link = new KeeperLink(this.#options, {
      onEvent: (event) => this.#hear(event),
      onGone: (unfinished) => {
        for (const exit of unfinished) this.#settle(exit)
        this.#replace(link)
      },
    })
    this.#link = link
    if (this.#leaseUntilMs !== null) link.send({ type: 'lease', untilMs: this.#leaseUntilMs })
  }

  #hear(event: KeeperEvent): void {
    if (event.type === 'exited') this.#settle(event)
    if (event.type === 'output') this.#kept.get(event.key)?.listener.onOutput(event.stream, event.text)
    if (event.type === 'control') this.#kept.get(event.key)?.listener.onControl(event.line)
  }

  #settle(exit: JobExit): void {
    const kept = this.#kept.get(exit.key)
    this.#kept.delete(exit.key)
    kept?.settle(exit)
  }

  #replace(gone: KeeperLink): void {
    if (this.#link === gone) this.#link = null
    if (this.#isClosed) return
    this.#options.log.error({ pid: gone.pid }, 'keeper died; its jobs were ended, another is started')
    this.#scheduleRestart(Math.max(0, restartMsMin - (performance.now() - gone.startedAtMs)))
  }

  #scheduleRestart(waitMs: number): void {
    this.#restart = setTimeout(() => {
      try {
        this.#connect()
      } catch (error) {
        this.#options.log.error({ error }, 'keeper cannot be started; trying again')
        this.#scheduleRestart(restartMsMin)
      }
    }, waitMs)
  }
}

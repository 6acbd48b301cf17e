import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentLog } from './agent-log.ts'
import {
  exitWithoutProcess,
  type JobExit,
  type KeeperCommand,
  type KeeperEvent,
  type KeeperSettings,
} from './keeper-messages.ts'
import { readFrames, toFrame } from './line-frames.ts'
import type { MemoryLimiting } from './memory-limits.ts'
import { ownEntry } from './own-entry.ts'
import { ProcessEnding } from './process-ending.ts'

export interface KeeperLinkOptions {
  readonly killBudgetMs: number
  /** Whether jobs may come that have a limit of memory. */
  readonly limitsMemory?: boolean
  /** Of the keeper itself; each start of a job brings its own. */
  readonly environment: Readonly<Record<string, string>>
  readonly log: AgentLog
}

export interface KeeperLinkHandlers {
  readonly onEvent: (event: KeeperEvent) => void
  /** The process is gone, and everything that it had started too. */
  readonly onGone: (unfinished: readonly JobExit[]) => void
}

/** One keeper process, from its start to its end. */
export class KeeperLink {
  readonly startedAtMs = performance.now()
  readonly ready: Promise<void>
  /** How it limits the memory of jobs; null until it is ready, and where it need not. */
  memoryLimiting: MemoryLimiting | null = null
  readonly #settings: KeeperSettings
  readonly #options: KeeperLinkOptions
  readonly #handlers: KeeperLinkHandlers
  readonly #child: ChildProcess
  readonly #socket: Socket
  readonly #gone: Promise<void>
  /** Pid by key; null until it is known to have started. */
  readonly #jobs = new Map<string, number | null>()
  #isBuried = false

  constructor(options: KeeperLinkOptions, handlers: KeeperLinkHandlers) {
    this.#options = options
    this.#handlers = handlers
    this.#settings = {
      id: randomUUID(),
      killBudgetMs: options.killBudgetMs,
      limitsMemory: options.limitsMemory === true,
    }
    // A session of its own: what a terminal sends to the agent's group does not reach it.
    this.#child = spawn(process.execPath, [ownEntry('keeper-process'), JSON.stringify(this.#settings)], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
      env: options.environment,
    })
    this.#socket = this.#child.stdio[3] as Socket
    const ready = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    this.ready = ready.promise
    this.#gone = gone.promise
    this.ready.catch(() => undefined)
    this.#child.stderr?.on('data', (text: Buffer) => options.log.error({ text: text.toString().trim() }, 'keeper'))
    this.#socket.on('error', () => undefined)
    this.#child.on('error', (error) => options.log.error({ error }, 'keeper cannot be started'))
    this.#child.once('close', () => {
      ready.reject(new Error('the keeper ended before it was ready'))
      void this.#bury().finally(gone.resolve)
    })
    readFrames(this.#socket, (frame) => {
      const event = frame as KeeperEvent
      if (event.type === 'ready') {
        this.memoryLimiting = event.memoryLimiting
        ready.resolve()
      }
      if (event.type === 'started') this.#jobs.set(event.key, event.pid)
      if (event.type === 'exited') this.#jobs.delete(event.key)
      handlers.onEvent(event)
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Whether it was sent. What was sent to a keeper that dies before it reads it ends with the keeper. */
  send(command: KeeperCommand): boolean {
    if (this.#isBuried) return false
    if (command.type === 'start') this.#jobs.set(command.key, null)
    if (this.#socket.writable) this.#socket.write(toFrame(command))
    return true
  }

  /** Lets it end whatever it still runs, and itself; by force if it does not answer. */
  async close(): Promise<void> {
    this.#socket.end()
    const deadline = new AbortController()
    const isGone = await Promise.race([
      this.#gone.then(() => true),
      sleep(this.#options.killBudgetMs + 5000, false, { signal: deadline.signal }).catch(() => true),
    ])
    deadline.abort()
    if (isGone) return
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  // Its jobs have lost their keeper: nobody else would end them now.
  async #bury(): Promise<void> {
    this.#isBuried = true
    const unfinished = [...this.#jobs]
    const { id, killBudgetMs } = this.#settings
    const marks = [
      { leader: null, variables: [`INTERLOCK_KEEPER=${id}`] },
      ...unfinished.map(([, leader]) => ({ leader, variables: [] })),
    ]
    const endings =
      unfinished.length === 0 ? [] : marks.map((of) => new ProcessEnding({ marks: of, graceMs: killBudgetMs / 2 }))
    await Promise.all(endings.map((ending) => ending.done))
    this.#handlers.onGone(unfinished.map(([key]) => exitWithoutProcess(key, { stopCause: 'keeper_lost' })))
  }
}

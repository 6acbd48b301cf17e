import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Line } from '../../tests/support/line.ts'
import { childrenOf } from './family.ts'
import type { History } from './history.ts'

/** The program as it is. */
export const ownProgram = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const restartMs = 300

export interface ServiceOptions {
  readonly name: string
  readonly program: string
  readonly words: readonly string[]
  readonly databaseUrl: string
  /** Its own way to the database. */
  readonly line: Line
  readonly logFile: string
  readonly environment: Readonly<Record<string, string>>
  readonly history: History
}

/** A coordinator or an agent as a process of its own, which is started again whenever it is gone, as an operator would see to. */
export class Service {
  readonly #options: ServiceOptions
  #child: ChildProcess | null = null
  #running: Promise<void> | null = null
  #isWanted = true
  readonly #exits: string[] = []

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  get line(): Line {
    return this.#options.line
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** How it ended each time: an exit code or a signal. */
  get exits(): readonly string[] {
    return this.#exits
  }

  start(): void {
    this.#running ??= this.#run()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** The processes that it has started itself: an agent's keeper. */
  childPids(): readonly number[] {
    return this.pid === null ? [] : childrenOf(this.pid)
  }

  /** Ends it in order, and resolves when the next one has been started. Throws when it does not end in time. */
  async roll(patienceMs: number): Promise<void> {
    const child = this.#child
    if (child === null) return
    child.kill('SIGTERM')
    for (const deadline = performance.now() + patienceMs; this.#child === child || this.#child === null; ) {
      if (performance.now() > deadline) throw new Error(`${this.name} did not come back in ${patienceMs} ms`)
      await sleep(50)
    }
  }

  /** Resident memory; null while it does not run. */
  residentMiB(): number | null {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
    } catch {
      return null
    }
  }

  /** Ends it in order, for good; with SIGKILL when it does not within so long. Returns whether it had to be killed. */
  async stop(graceMs: number): Promise<boolean> {
    this.#isWanted = false
    const child = this.#child
    if (child === null || this.#running === null) return false
    child.kill('SIGCONT')
    child.kill('SIGTERM')
    const waiting = new AbortController()
    const late = sleep(graceMs, 'late' as const, { signal: waiting.signal }).catch(() => 'late' as const)
    const isLate = (await Promise.race([this.#running, late])) === 'late'
    waiting.abort()
    if (isLate) child.kill('SIGKILL')
    await this.#running
    return isLate
  }

  async #run(): Promise<void> {
    const { name, program, words, databaseUrl, line, logFile, environment, history } = this.#options
    while (this.#isWanted) {
      const log = openSync(logFile, 'a')
      const child = spawn(process.execPath, [program, ...words], {
        env: { ...process.env, ...environment, DATABASE_URL: line.urlOf(databaseUrl), INTERLOCK_LOG_FORMAT: 'json' },
        stdio: ['ignore', log, log],
      })
      this.#child = child
      const atExit = () => void child.kill('SIGKILL')
      process.once('exit', atExit)
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
      process.removeListener('exit', atExit)
      this.#child = null
      this.#exits.push(String(signal ?? code))
      history.note({ kind: 'process', name, what: `ended with ${signal ?? code}` })
      if (this.#isWanted) await sleep(restartMs)
    }
  }
}

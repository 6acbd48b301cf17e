import { setTimeout as sleep } from 'node:timers/promises'
import { type ProcessMarks, type ProcessRow, processTable } from './process-table.ts'

export interface ProcessEndingOptions {
  readonly marks: ProcessMarks
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
}

export interface Ended {
  /** How many processes were there to be ended. */
  readonly found: number
  /** How many could not be ended: in an uninterruptible wait, or another user's. */
  readonly left: number
}

const pollMsMin = 10
const pollMsMax = 50
// After SIGKILL a process is gone within milliseconds unless the kernel itself waits for something.
const killMsMax = 3000

/**
 * Ends every process of a job, and knows that it did: SIGTERM, after the grace SIGKILL, and it looks again until nobody
 * is left. A member once seen is pursued even when its parent is gone and nothing marks it any longer.
 */
export class ProcessEnding {
  readonly done: Promise<Ended>
  readonly #options: ProcessEndingOptions
  readonly #known = new Map<string, ProcessRow>()
  readonly #asked = new Set<string>()
  #isAsked = false
  #actedAtMs = performance.now()
  #killAtMs: number

  constructor(options: ProcessEndingOptions) {
    this.#options = options
    this.#killAtMs = performance.now() + options.graceMs
    this.done = this.#run()
  }

  /** Shortens the grace; it never grows. */
  hasten(graceMs: number): void {
    this.#killAtMs = Math.min(this.#killAtMs, performance.now() + graceMs)
  }

  async #run(): Promise<Ended> {
    for (let waitMs = pollMsMin; ; waitMs = Math.min(waitMs * 2, pollMsMax)) {
      const alive = this.#alive()
      if (alive.length === 0 && !this.#isGroupThere()) return { found: this.#known.size, left: 0 }
      const graceLeftMs = this.#killAtMs - performance.now()
      if (graceLeftMs < -killMsMax) return { found: this.#known.size, left: Math.max(1, alive.length) }
      if (graceLeftMs > 0) this.#ask(alive)
      else this.#kill(alive)
      this.#actedAtMs = performance.now()
      await sleep(graceLeftMs > 0 ? Math.min(waitMs, graceLeftMs) : pollMsMin)
    }
  }

  #ask(alive: readonly ProcessRow[]): void {
    const { leader } = this.#options.marks
    const isFirstTime = !this.#isAsked
    this.#isAsked = true
    if (isFirstTime && leader !== null) signal(-leader, 'SIGTERM')
    for (const row of alive) {
      if (this.#asked.has(keyOf(row))) continue
      this.#asked.add(keyOf(row))
      if (!isFirstTime || row.groupId !== leader) signal(row.pid, 'SIGTERM')
      // What is stopped answers a SIGTERM only once it continues.
      signal(row.pid, 'SIGCONT')
    }
  }

  // The group at one blow first: no member of it can fork its way past.
  #kill(alive: readonly ProcessRow[]): void {
    const { leader } = this.#options.marks
    if (leader !== null) signal(-leader, 'SIGKILL')
    for (const row of alive) signal(row.pid, 'SIGKILL')
  }

  #alive(): readonly ProcessRow[] {
    const table = processTable({ notBeforeMs: this.#actedAtMs })
    if (table === null) return []
    const pursued = [...this.#known.values()].filter((row) => table.has(row))
    for (const row of table.members(this.#options.marks, pursued)) {
      this.#known.set(keyOf(row), row)
    }
    return [...this.#known.values()].filter((row) => table.has(row))
  }

  // Where there is no /proc, the group is all that can be asked. Elsewhere a zombie would make it look alive.
  #isGroupThere(): boolean {
    const { leader } = this.#options.marks
    return process.platform !== 'linux' && leader !== null && signal(-leader, 0)
  }
}

function keyOf(row: ProcessRow): string {
  return `${row.pid}/${row.startTicks}`
}

// Whether anybody was there to be told.
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

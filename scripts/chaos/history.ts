import { createWriteStream, readFileSync, type WriteStream } from 'node:fs'

/** What somebody outside did or saw, a line of JSON each: all that the checker knows beside the tables. */
export type Happening =
  | {
      readonly kind: 'begins'
      readonly seed: number
      readonly scenario: unknown
      /** The moment from which `atMs` counts, by the wall clock (ms) and since the machine started (s). */
      readonly epochMs: number
      readonly uptimeSeconds: number
    }
  | { readonly kind: 'asked'; readonly what: 'enqueue' | 'cancel'; readonly jobId: string; readonly door: string }
  | {
      readonly kind: 'answered'
      readonly what: 'enqueue' | 'cancel'
      readonly jobId: string
      /** `unknown`: the connection was lost, or the deadline passed, and nobody can say whether it took effect. */
      readonly answer: 'accepted' | 'refused' | 'unknown'
      readonly detail?: string
    }
  | { readonly kind: 'fault'; readonly fault: string; readonly target: string; readonly detail?: string }
  /** Processes of a service that are stopped, and continued. */
  | { readonly kind: 'frozen'; readonly name: string; readonly what: Frozen }
  | { readonly kind: 'woken'; readonly name: string; readonly what: Frozen }
  /** How long a job's processes lived on after its agent and its keeper woke; null: longer than anybody looked. */
  | {
      readonly kind: 'outlived'
      readonly name: string
      readonly jobId: string
      readonly token: number
      readonly wokenAtMs: number
      readonly forMs: number | null
    }
  /** A write with the token of a claim that the database has taken back. */
  | {
      readonly kind: 'late'
      readonly write: string
      readonly jobId: string
      readonly token: number
      readonly answer: 'accepted' | 'refused' | 'unknown'
    }
  /** What the auditor's view had in it at one look. Looks that find nothing are counted, and not noted. */
  | { readonly kind: 'looked'; readonly look: number; readonly violations: readonly string[] }
  | { readonly kind: 'healed' }
  | { readonly kind: 'drained'; readonly afterMs: number }
  | { readonly kind: 'process'; readonly name: string; readonly what: string }
  | { readonly kind: 'memory'; readonly name: string; readonly residentMiB: number }

export type Frozen = 'agent' | 'agent and keeper' | 'agent and all its processes' | 'coordinator'

export type Recorded = Happening & { readonly atMs: number }

/** Writes the history to a file and keeps it. */
export class History {
  readonly events: Recorded[] = []
  readonly #file: WriteStream
  readonly #startMs = performance.now()
  readonly epochMs = Date.now()
  readonly #uptimeSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])

  constructor(path: string, begins: { readonly seed: number; readonly scenario: unknown }) {
    this.#file = createWriteStream(path)
    this.note({ kind: 'begins', ...begins, epochMs: this.epochMs, uptimeSeconds: this.#uptimeSeconds })
  }

  /** Since the beginning. */
  get nowMs(): number {
    return performance.now() - this.#startMs
  }

  /** When it was so long since the machine started. */
  atUptime(seconds: number): number {
    return (seconds - this.#uptimeSeconds) * 1000
  }

  note(happening: Happening): void {
    const event = { atMs: Math.round(this.nowMs), ...happening }
    this.events.push(event)
    this.#file.write(`${JSON.stringify(event)}\n`)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(() => resolve()))
  }
}

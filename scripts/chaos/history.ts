import { createWriteStream, type WriteStream } from 'node:fs'

/** What somebody outside did or saw, a line of JSON each: all that the checker knows beside the tables. */
export type Happening =
  | { readonly kind: 'begins'; readonly seed: number; readonly scenario: unknown }
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
  | { readonly kind: 'healed' }
  | { readonly kind: 'drained'; readonly afterMs: number }
  | { readonly kind: 'process'; readonly name: string; readonly what: string }
  | { readonly kind: 'memory'; readonly name: string; readonly residentMiB: number }

export type Recorded = Happening & { readonly atMs: number }

/** Writes the history to a file and keeps it. */
export class History {
  readonly events: Recorded[] = []
  readonly #file: WriteStream
  readonly #startMs = performance.now()

  constructor(path: string) {
    this.#file = createWriteStream(path)
  }

  note(happening: Happening): void {
    const event = { atMs: Math.round(performance.now() - this.#startMs), ...happening }
    this.events.push(event)
    this.#file.write(`${JSON.stringify(event)}\n`)
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#file.end(() => resolve()))
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/store/database.ts'

export interface BystanderOptions {
  readonly url: string
  readonly name: string
  readonly betweenMs: number
  /** What is done, after so many rounds. */
  readonly act: (database: Database, before: number) => Promise<void>
}

/**
 * Somebody who is no part of the service and does one thing all the time while it runs. What could not be done (the
 * server is away, the connection was ended) is no round.
 */
export class Bystander {
  readonly #options: BystanderOptions
  readonly #database: Database
  readonly #stopping = new AbortController()
  #rounds = 0
  #running: Promise<void> | null = null

  constructor(options: BystanderOptions) {
    this.#options = options
    this.#database = new Database({ url: options.url, poolSize: 1, applicationName: options.name })
  }

  get rounds(): number {
    return this.#rounds
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await this.#database.end()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { act, betweenMs } = this.#options
    while (!signal.aborted) {
      try {
        await act(this.#database, this.#rounds)
        this.#rounds += 1
      } catch {
        // The next round is soon.
      }
      await sleep(betweenMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

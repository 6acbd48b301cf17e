import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { within } from './deadline.ts'
import type { Queryable } from './queryable.ts'

export interface SteadyConnectionOptions {
  readonly applicationName: string
  /** Of opening and of each statement; a statement that takes longer costs the connection. */
  readonly limitMs: number
}

/**
 * One connection that is opened when it is needed and replaced when it broke: for what must not wait behind a pool that
 * is exhausted, and is no worse for a new session. A heartbeat, above all.
 */
export class SteadyConnection implements Queryable {
  readonly #database: Database
  readonly #options: SteadyConnectionOptions
  #opening: Promise<Connection> | null = null

  constructor(database: Database, options: SteadyConnectionOptions) {
    this.#database = database
    this.#options = options
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]> {
    const { limitMs } = this.#options
    this.#opening ??= this.#open()
    const opening = this.#opening
    try {
      const connection = await within(limitMs, 'connecting', opening)
      return await within(limitMs, 'a statement', connection.query<Row>(text, values, name))
    } catch (error) {
      await this.#forgetIfBroken(opening, error)
      throw error
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = null
    const connection = await opening?.catch(() => null)
    await connection?.close()
  }

  #open(): Promise<Connection> {
    const { applicationName, limitMs } = this.#options
    const signal = AbortSignal.timeout(Math.ceil(limitMs))
    return this.#database.connect({ applicationName, signal })
  }

  // A refusal by a verb is an answer; the connection is as good as before.
  async #forgetIfBroken(opening: Promise<Connection>, error: unknown): Promise<void> {
    const connection = await opening.catch(() => null)
    const isLate = error instanceof Error && error.message.startsWith('a statement took')
    if (connection !== null && !connection.lost.aborted && !isLate) return
    if (this.#opening === opening) this.#opening = null
    // Nobody waits for the farewell of a connection that may never answer.
    void connection?.close()
  }
}

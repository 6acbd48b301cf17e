// One connection of a history. A call ends, or pauses at a failpoint, or waits for a lock that another session has.

import pg from 'pg'
import { valueParsers } from '../../src/store/value-parsers.ts'
import { gateClass, pauseNotice } from '../support/failpoints.ts'

/** An interruption: at the n-th failpoint that the call passes, or that it passes of that name. */
export interface Armed {
  readonly hits: number
  readonly name: string
  readonly action: 'pause' | 'crash'
}

export interface Call {
  /** As it stands in the transcript: `claim_jobs(some1.2, 3)`. */
  readonly label: string
  readonly text: string
  readonly values: readonly unknown[]
  /** Not what begins or ends a transaction. */
  readonly isVerb: boolean
  readonly armed?: Armed | undefined
  /** Returns what the transcript shows of the answer. */
  readonly onRows?: (rows: readonly Record<string, unknown>[]) => string
  /** Returns what the transcript shows of a refusal that is expected; undefined: it is not. */
  readonly onError?: (state: string, message: string) => string | undefined
}

export type SessionState = 'idle' | 'busy' | 'paused' | 'waiting'

export class Session {
  readonly name: string
  readonly #client: pg.Client
  readonly #changed: () => void
  readonly #prepared = new Map<string, string>()
  state: SessionState = 'idle'
  isInTransaction = false
  /** The failpoint at which it pauses. */
  pausedAt: string | null = null
  call: Call | null = null
  /** What became of the call that ended last, until somebody takes it. */
  #ended: { call: Call; rows: readonly Record<string, unknown>[]; error: unknown } | null = null
  #isArmed = false

  private constructor(name: string, client: pg.Client, changed: () => void) {
    this.name = name
    this.#client = client
    this.#changed = changed
    client.on('error', () => undefined)
    client.on('notice', ({ message }) => {
      const failpoint = pauseNotice.exec(message ?? '')?.[1]
      if (failpoint === undefined) return
      this.state = 'paused'
      this.pausedAt = failpoint
      changed()
    })
  }

  static async open(name: string, url: string, changed: () => void): Promise<Session> {
    const client = new pg.Client({ connectionString: url, application_name: `history: ${name}`, types: valueParsers })
    const session = new Session(name, client, changed)
    await client.connect()
    return session
  }

  get processId(): number {
    return (this.#client as unknown as { readonly processID: number }).processID
  }

  get gate(): readonly [number, number] {
    return [gateClass, this.processId]
  }

  /** Sends the call; `changed` is called when something has come of it. */
  start(call: Call): void {
    this.state = 'busy'
    this.call = call
    void this.#run(call).then(
      (rows) => this.#end(call, rows, null),
      (error: unknown) => this.#end(call, [], error),
    )
  }

  takeEnded(): { call: Call; rows: readonly Record<string, unknown>[]; error: unknown } | null {
    const ended = this.#ended
    this.#ended = null
    return ended
  }

  /** A statement of the history's own, while nothing is under way here. */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const { rows } = await this.#client.query<Row>({ name: this.#nameOf(text), text, values: [...values] })
    return rows
  }

  async close(): Promise<void> {
    await this.#client.end()
  }

  async #run({ text, values, armed, isVerb }: Call): Promise<Record<string, unknown>[]> {
    if (isVerb && (armed !== undefined || this.#isArmed)) {
      await this.query('select interlock_test.arm($1, $2, $3)', [
        armed?.hits ?? 0,
        armed?.action ?? 'none',
        armed?.name ?? '',
      ])
      // A rollback restores the hits that were left before.
      this.#isArmed = armed !== undefined || this.isInTransaction
    }
    try {
      return await this.query(text, values)
    } catch (error) {
      // The server says what is wrong before it has rolled back: with the next answer the locks are gone.
      await this.#client.query('')
      throw error
    }
  }

  #end(call: Call, rows: readonly Record<string, unknown>[], error: unknown): void {
    this.#ended = { call, rows, error }
    this.state = 'idle'
    this.pausedAt = null
    this.call = null
    this.#changed()
  }

  #nameOf(text: string): string {
    const known = this.#prepared.get(text)
    if (known !== undefined) return known
    const name = `q${this.#prepared.size}`
    this.#prepared.set(text, name)
    return name
  }
}

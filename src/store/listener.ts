import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'

export interface ListenerOptions {
  readonly database: Database
  /** By channel, who is called with the payload of each notification. */
  readonly channels: Readonly<Record<string, (payload: string) => void>>
  /** It hears (again). What was said before this moment may have been missed: look for yourself. */
  readonly onListening?: () => void
  /** It is deaf, and tries again. */
  readonly onLost?: (error: unknown) => void
  /** How often it makes sure that the server is still there; 5 unless set. */
  readonly pingSeconds?: number
}

const longestPauseMs = 5000

/**
 * Hears notifications on a connection of its own, for as long as it is started, and opens another one when that one is
 * lost. It asks the server something every few seconds: a connection that a proxy has forgotten never says that it is
 * gone, so without that one could listen to nothing for hours.
 */
export class Listener {
  readonly #options: ListenerOptions
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null
  readonly #pingSeconds: number
  #isListening = false

  constructor(options: ListenerOptions) {
    this.#options = Object.freeze({ ...options })
    this.#pingSeconds = options.pingSeconds ?? 5
  }

  get isListening(): boolean {
    return this.#isListening
  }

  /** Begins; the first connection is made behind the caller's back, since being deaf for a while only costs time. */
  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.#listenUntilLost(() => {
          pauseMs = 100
        })
      } catch (error) {
        if (!signal.aborted) this.#options.onLost?.(error)
      }
      // Drawn at random: after a restart of the server everybody comes back at once.
      await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
    }
  }

  async #listenUntilLost(onListening: () => void): Promise<void> {
    const { signal } = this.#stopping
    const connection = await this.#options.database.connect({ statementTimeoutSeconds: this.#pingSeconds, signal })
    try {
      for (const [channel, handler] of Object.entries(this.#options.channels)) await connection.listen(channel, handler)
      this.#isListening = true
      onListening()
      this.#options.onListening?.()
      await this.#pingUntilLost(connection)
    } finally {
      this.#isListening = false
      await connection.close()
    }
  }

  async #pingUntilLost(connection: Connection): Promise<never> {
    const signal = AbortSignal.any([this.#stopping.signal, connection.lost])
    for (;;) {
      await sleep(this.#pingSeconds * 1000, undefined, { signal }).catch(() => {
        throw signal.reason
      })
      await connection.query('select 1')
    }
  }
}

import type { Socket } from 'node:net'
import pg from 'pg'
import type { InterlockError } from '../domain/errors.ts'
import { type Queryable, runQuery } from './queryable.ts'
import { breaksConnection, toInterlockError } from './sqlstate.ts'
import { valueParsers } from './value-parsers.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly applicationName: string
  readonly connectTimeoutSeconds?: number
  /** 0 or unset: a statement may take as long as it takes. */
  readonly statementTimeoutSeconds?: number
  /** Gives up opening; an open connection is closed by close(). */
  readonly signal?: AbortSignal
}

/**
 * A connection of one's own, for what belongs to a session: LISTEN, advisory locks, a migration. It does not reconnect,
 * because what it held is gone with it: `lost` tells, and its owner opens another and takes anew what it needs.
 */
export class Connection implements Queryable {
  readonly #client: pg.Client
  readonly #handlers = new Map<string, (payload: string) => void>()
  readonly #lost = new AbortController()
  #isClosing = false

  private constructor(client: pg.Client) {
    this.#client = client
    client.on('error', (error) => this.#lose(error))
    client.on('end', () => this.#lose(new Error('Connection terminated')))
    client.on('notification', ({ channel, payload }) => this.#handlers.get(channel)?.(payload ?? ''))
  }

  static async open(options: ConnectionOptions): Promise<Connection> {
    options.signal?.throwIfAborted()
    const client = new pg.Client({
      connectionString: options.url,
      application_name: options.applicationName,
      connectionTimeoutMillis: (options.connectTimeoutSeconds ?? 5) * 1000,
      keepAlive: true,
      types: valueParsers,
      ...timeouts(options.statementTimeoutSeconds ?? 0),
    })
    const connection = new Connection(client)
    // Ending a client that is still connecting settles nothing: its connect() would be waited for for ever.
    const givenUp = Promise.withResolvers<never>()
    const giveUp = () => givenUp.reject(options.signal?.reason)
    options.signal?.addEventListener('abort', giveUp, { once: true })
    const opening = client.connect()
    try {
      await Promise.race([opening, givenUp.promise])
      return connection
    } catch (error) {
      opening.catch(() => undefined)
      void client.end().catch(() => undefined)
      throw options.signal?.aborted === true ? options.signal.reason : toInterlockError(error)
    } finally {
      options.signal?.removeEventListener('abort', giveUp)
    }
  }

  /** Aborted, with an InterlockError as its reason, when the connection is gone without having been closed. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** The backend's process id, as pg_stat_activity has it. */
  get processId(): number {
    return (this.#client as unknown as { readonly processID: number }).processID
  }

  /** Whom the socket is connected to; null for a Unix socket. It differs from what the server says where a proxy is between. */
  get peer(): { readonly address: string; readonly port: number } | null {
    const { stream } = (this.#client as unknown as { readonly connection: { readonly stream: Socket } }).connection
    const { remoteAddress, remotePort } = stream
    return remoteAddress === undefined || remotePort === undefined ? null : { address: remoteAddress, port: remotePort }
  }

  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]> {
    if (this.#lost.signal.aborted) throw this.#lost.signal.reason
    try {
      return await runQuery<Row>(this.#client, text, values, name)
    } catch (error) {
      if (breaksConnection(error)) this.#lose(error)
      throw error
    }
  }

  /** Calls the handler with the payload of each notification of this channel from now on; one handler a channel. */
  async listen(channel: string, handler: (payload: string) => void): Promise<void> {
    this.#handlers.set(channel, handler)
    await this.query(`listen ${pg.escapeIdentifier(channel)}`)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#client.end().catch(() => undefined)
  }

  #lose(error: unknown): void {
    if (this.#isClosing || this.#lost.signal.aborted) return
    const reason: InterlockError = toInterlockError(error)
    this.#lost.abort(reason)
    // A broken stream never answers the farewell; nobody waits for it.
    void this.#client.end().catch(() => undefined)
  }
}

/**
 * A statement's limit, and a little later the client's own: a server that vanished without a word stops no statement.
 * The limit is a startup parameter only when there is one, since poolers refuse parameters that they do not know.
 */
export function timeouts(seconds: number): { statement_timeout?: number; query_timeout?: number } {
  return seconds > 0 ? { statement_timeout: seconds * 1000, query_timeout: (seconds + 2) * 1000 } : {}
}

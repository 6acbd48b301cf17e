import type { Socket } from 'node:net'
import pg from 'pg'
import { InterlockError } from '../domain/errors.ts'
import { Connection, timeouts } from './connection.ts'
import { type Queryable, runQuery } from './queryable.ts'
import { retryTransient } from './retry.ts'
import { breaksConnection, isCollision, toInterlockError } from './sqlstate.ts'
import { valueParsers } from './value-parsers.ts'

export interface DatabaseOptions {
  readonly url: string
  /** As pg_stat_activity shows it; `interlock` unless set. */
  readonly applicationName?: string
  /** 10 unless set. */
  readonly poolSize?: number
  /** 30 unless set; 0 for no limit. */
  readonly statementTimeoutSeconds?: number
  /** How long to wait for a connection, be it new or one of the pool that is busy; 5 unless set. */
  readonly connectTimeoutSeconds?: number
  /** Told of an idle connection that broke. The pool replaces it by itself, so nothing needs to be done. */
  readonly onIdleError?: (error: InterlockError) => void
}

/** A pool of connections to one database. Nothing that happens to a connection ends the process. */
export class Database implements Queryable {
  readonly #options: DatabaseOptions
  readonly #pool: pg.Pool
  readonly #clients = new Set<pg.PoolClient>()
  readonly #idle = new Set<pg.PoolClient>()
  /** Who waits for a new connection, and would as well take one that is given back. */
  readonly #waiting = new Set<() => void>()
  #ending: Promise<void> | null = null

  constructor(options: DatabaseOptions) {
    this.#options = Object.freeze({ ...options })
    refuseUnlessPostgres(options.url)
    this.#pool = new pg.Pool({
      connectionString: options.url,
      application_name: this.applicationName,
      max: options.poolSize ?? 10,
      connectionTimeoutMillis: this.#connectTimeoutSeconds * 1000,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      types: valueParsers,
      ...timeouts(options.statementTimeoutSeconds ?? 30),
    })
    this.#pool.on('error', (error) => options.onIdleError?.(toInterlockError(error)))
    // The pool listens for errors of idle clients only. One that is killed between two statements of a transaction
    // would throw out of the event loop; its next statement fails anyway.
    this.#pool.on('connect', (client) => {
      client.on('error', () => undefined)
      this.#clients.add(client)
    })
    this.#pool.on('remove', (client) => {
      this.#clients.delete(client)
      this.#idle.delete(client)
    })
    this.#pool.on('acquire', (client) => void this.#idle.delete(client))
    this.#pool.on('release', (error, client) => {
      if (!error) {
        this.#idle.add(client)
        // Once the pool has it back, and those have been served who stand in its own line.
        if (this.#waiting.size > 0) setImmediate(() => this.#offerIdle())
        return
      }
      // The network has forgotten one: most likely the others too, and each would cost its user the same wait.
      for (const idle of this.#idle) evict(idle)
    })
  }

  get url(): string {
    return this.#options.url
  }

  get applicationName(): string {
    return this.#options.applicationName ?? 'interlock'
  }

  /** The pool itself, for libraries that bring their own statements (graphile-worker, kysely). */
  get pool(): pg.Pool {
    return this.#pool
  }

  get #connectTimeoutSeconds(): number {
    return this.#options.connectTimeoutSeconds ?? 5
  }

  /**
   * A statement is a whole transaction here, so one that lost against another transaction is repeated, a few times within
   * a second. One that waited too long for a lock, or was cancelled, is not: it would only wait again; its caller knows when.
   */
  async query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]> {
    return retryTransient(() => this.#withClient((client) => runQuery<Row>(client, text, values, name)), {
      isWorth: isCollision,
    })
  }

  /** Runs the work between BEGIN and COMMIT (read committed), or rolls back and throws what it threw. */
  async transaction<Result>(work: (transaction: Queryable) => Promise<Result>): Promise<Result> {
    return this.#withClient(async (client) => {
      await runQuery(client, 'begin')
      try {
        const result = await work({ query: (text, values, name) => runQuery(client, text, values, name) })
        await commit(client)
        return result
      } catch (error) {
        if (!breaksConnection(error)) await runQuery(client, 'rollback')
        throw error
      }
    })
  }

  /** Opens a connection outside the pool, for a session's own things: LISTEN, advisory locks. The caller closes it. */
  connect(
    options: { applicationName?: string; statementTimeoutSeconds?: number; signal?: AbortSignal } = {},
  ): Promise<Connection> {
    return Connection.open({
      url: this.#options.url,
      applicationName: this.applicationName,
      connectTimeoutSeconds: this.#connectTimeoutSeconds,
      ...options,
    })
  }

  /**
   * Ends every connection at once: what waits for an answer fails, as if the server had gone. For a process that has to be
   * gone itself, and whose last questions a network swallowed.
   */
  abandon(): void {
    for (const client of this.#clients) destroy(client)
  }

  /** Closes the pool once what runs has ended; may be called twice. */
  end(): Promise<void> {
    this.#ending ??= this.#pool.end()
    return this.#ending
  }

  // Not pool.query(): it throws the connection away on any error, and a refusal by a verb is an ordinary answer.
  async #withClient<Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#acquire().catch((error: unknown) => {
      throw toInterlockError(error)
    })
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = breaksConnection(error)
      throw error
    } finally {
      client.release(broken)
    }
  }

  /**
   * An idle connection, a new one, or one that is given back before the new one is there. The pool has who came while none
   * was idle wait for the new one alone: where an answer takes 3 s opening takes nine, which is longer than it may, and a
   * job's end was not heard for as long as others kept the few connections busy that there were.
   */
  async #acquire(): Promise<pg.PoolClient> {
    const opening = this.#pool.connect()
    if (this.#pool.waitingCount > 0) return opening
    const taken = Promise.withResolvers<pg.PoolClient>()
    let isTaken = false
    const take = (client: pg.PoolClient): void => {
      if (isTaken) client.release()
      else taken.resolve(client)
      isTaken = true
    }
    const takeIdle = (): void => void this.#pool.connect().then(take, () => undefined)
    this.#waiting.add(takeIdle)
    opening.then(take, taken.reject)
    try {
      return await taken.promise
    } finally {
      isTaken = true
      this.#waiting.delete(takeIdle)
    }
  }

  #offerIdle(): void {
    if (this.#pool.idleCount === 0) return
    const [first] = this.#waiting
    if (first === undefined) return
    this.#waiting.delete(first)
    first()
  }
}

// As if it had just been heard to break: the pool forgets it at once, not when its socket is seen to be closed.
function evict(idle: pg.PoolClient): void {
  idle.emit('error', new Error('another connection to the server was lost'))
  destroy(idle)
}

function destroy(client: pg.PoolClient): void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection
  stream.destroy()
}

// COMMIT of a transaction in which a statement failed is answered with ROLLBACK, and without an error.
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('commit').catch((error: unknown) => {
    throw toInterlockError(error)
  })
  if (command !== 'COMMIT')
    throw new InterlockError('internal', 'the transaction was rolled back: a statement in it failed')
}

function refuseUnlessPostgres(url: string): void {
  if (/^postgres(ql)?:/.test(url) && URL.canParse(url)) return
  throw new InterlockError('invalid_argument', 'DATABASE_URL is not the URL of a Postgres database', {
    field: 'DATABASE_URL',
    hint: 'It looks like postgres://user:password@host:5432/database.',
  })
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from './connection.ts'
import type { Database } from './database.ts'
import { within } from './deadline.ts'
import { sqlstateOf } from './sqlstate.ts'

export interface LivenessOptions {
  readonly database: Database
  readonly lockClass: number
  readonly incarnation: number
  /** With the payload of each notification on the channel `interlock_agent`: an agent's id. */
  readonly onNotice: (payload: string) => void
  /** The lock is held again. What was notified meanwhile was missed. */
  readonly onBack: () => void
  /** The lock has not been confirmed for so long that the agent may soon be given up: stop its jobs. Once a loss. */
  readonly onLost: () => void
}

const pingMs = 500
const answerMsMax = 750
const retryMsMin = 30
const retryMsMax = 250
const connectMsMax = 1000
/**
 * Since the last answered ping was sent. The coordinator gives an agent up 3 s after its lock is gone: what remains is
 * the second to kill its processes, and a little.
 */
const unconfirmedMsMax = 1600
const watchMs = 100

/**
 * The session that shows that an agent lives: it holds the advisory lock (class, incarnation), which ends with the
 * process whatever kills it. It pings, because a connection can die without a word; it comes back at once when it is
 * lost; and it says when it has been away too long.
 *
 * A server that is down is different. Then nobody gives anything away, and when it is back it knows by its start time
 * that the lock says nothing: the lease decides, and the jobs may go on. That it is down is believed only from the
 * server itself (starting up, shutting down), or when its own address refuses the connection and no proxy is between.
 */
export class LivenessConnection {
  readonly #options: LivenessOptions
  readonly #closing = new AbortController()
  #connection: Connection | null = null
  #isHeld = false
  #over: AbortSignal
  #running: Promise<void> | null = null
  #watch: NodeJS.Timeout | null = null
  #confirmedAtMs = Number.NEGATIVE_INFINITY
  #watchedAtMs = 0
  #forgivenUntilMs = 0
  #isServerDown = false
  #isDirect = false
  #isLost = false

  constructor(options: LivenessOptions) {
    this.#options = options
    this.#over = this.#closing.signal
  }

  /** Whether the lock is held, as far as is known: while it is not, no job is started. */
  get isConfirmed(): boolean {
    return !this.#isLost && this.#connection !== null
  }

  /** Takes the lock; throws when it cannot be had. From then on it is kept. */
  async open(): Promise<void> {
    await this.#connect()
    if (this.#connection === null) throw new Error('the liveness connection was lost at once')
    this.#watchedAtMs = performance.now()
    this.#watch = setInterval(() => this.#judge(), watchMs)
    this.#running = this.#run()
  }

  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#watch !== null) clearInterval(this.#watch)
    await this.#running
    await within(connectMsMax, 'closing', this.#connection?.close() ?? Promise.resolve()).catch(() => undefined)
    this.#connection = null
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      if (this.#connection === null) await this.#reconnect()
      else await this.#ping(this.#connection)
    }
  }

  async #ping(connection: Connection): Promise<void> {
    await sleep(pingMs, undefined, { signal: this.#over }).catch(() => undefined)
    if (this.#closing.signal.aborted) return
    try {
      const askedAtMs = performance.now()
      const answer = this.#isHeld ? connection.query('select 1') : this.#take(connection)
      await within<unknown>(answerMsMax, 'a ping', answer)
      this.#confirm(askedAtMs)
    } catch {
      this.#connection = null
      void connection.close()
    }
  }

  async #reconnect(): Promise<void> {
    for (let waitMs = retryMsMin; !this.#closing.signal.aborted; waitMs = Math.min(waitMs * 2, retryMsMax)) {
      try {
        await this.#connect()
        if (this.#connection !== null) return this.#options.onBack()
      } catch (error) {
        this.#isServerDown = this.#saysThatServerIsDown(error)
      }
      // At random: after a restart every agent comes back at once.
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal: this.#closing.signal }).catch(
        () => undefined,
      )
    }
  }

  async #connect(): Promise<void> {
    const askedAtMs = performance.now()
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(connectMsMax)])
    const connection = await this.#options.database.connect({ applicationName: 'interlock liveness', signal })
    try {
      await within(connectMsMax, 'listening', connection.listen('interlock_agent', this.#options.onNotice))
      await within(connectMsMax, 'locking', this.#take(connection))
      this.#isDirect = await within(connectMsMax, 'asking', isDirect(connection))
    } catch (error) {
      void connection.close()
      throw error
    }
    if (connection.lost.aborted) return
    this.#connection = connection
    this.#over = AbortSignal.any([this.#closing.signal, connection.lost])
    this.#isServerDown = false
    this.#confirm(askedAtMs)
  }

  // Tried, not waited for, and tried again at each ping: a session of ours that the server does not yet know to be dead
  // may still hold it, which is as good for the moment.
  async #take(connection: Connection): Promise<void> {
    const { lockClass, incarnation } = this.#options
    const [row] = await connection.query<{ is_held: boolean }>(
      'select pg_try_advisory_lock($1::int, $2::int) as is_held',
      [lockClass, incarnation],
    )
    this.#isHeld = row?.is_held ?? false
  }

  #confirm(askedAtMs: number): void {
    this.#confirmedAtMs = askedAtMs
    this.#isLost = false
  }

  // A process that was itself held up has answers waiting in its sockets: they are read before it is judged.
  #judge(): void {
    const now = performance.now()
    if (now - this.#watchedAtMs > 4 * watchMs) this.#forgivenUntilMs = now + 3 * watchMs
    this.#watchedAtMs = now
    if (this.#isLost || this.#isServerDown || now < this.#forgivenUntilMs) return
    if (now - this.#confirmedAtMs < unconfirmedMsMax) return
    this.#isLost = true
    this.#options.onLost()
  }

  #saysThatServerIsDown(error: unknown): boolean {
    const state = sqlstateOf(error)
    if (state !== null) return state === '57P03'
    const cause = error instanceof Error ? (error.cause ?? error) : error
    const { code } = cause as NodeJS.ErrnoException
    return this.#isDirect && (code === 'ECONNREFUSED' || code === 'ENOENT')
  }
}

// What the server calls its own address is what we dialled: nobody stands between.
async function isDirect(connection: Connection): Promise<boolean> {
  const [server] = await connection.query<{ address: string | null; port: number | null }>(
    'select host(inet_server_addr()) as address, inet_server_port() as port',
  )
  const { peer } = connection
  if (peer === null) return server?.address === null
  return server?.address === peer.address.replace(/^::ffff:/, '') && server.port === peer.port
}

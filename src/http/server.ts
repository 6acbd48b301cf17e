import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError } from '../domain/errors.ts'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { AgentFeed } from '../store/agent-feed.ts'
import type { Database } from '../store/database.ts'
import { JobFeed } from '../store/job-feed.ts'
import { RequestFeed } from '../store/request-feed.ts'
import { createApplication } from './application.ts'
import { readQueueAnswers } from './queue-answers.ts'
import { databaseCheck, EventLoopWatch, listenCheck, type ReadinessCheck, schemaCheck } from './readiness.ts'
import { allRoutes } from './routes/all-routes.ts'
import type { Services } from './services.ts'
import { createSnapshot } from './snapshot.ts'

/**
 * The HTTP door. It translates and decides nothing: a route checks what it was sent against its contract, calls a verb
 * or a reader of the store, and shows the outcome. Routes are lists (routes/*.ts, one subject a file); what all of them
 * need is in application.ts, the list of lists in routes/all-routes.ts; errors become problem+json by the table in problem.ts.
 *
 * Whatever waits (`/wait`, followed output) hangs on one JobFeed, not on connections of its own, and ends with it.
 */
export interface HttpServerOptions {
  readonly database: Database
  readonly logger: Logger
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Names under which the server may be asked, beside those of loopback. */
  readonly hostNames?: readonly string[]
  /** What else must be so before the process is ready. */
  readonly readiness?: readonly ReadinessCheck[]
  /** How old an answer of /queue/status may be; 1 unless set. */
  readonly statusAgeSeconds?: number
  /** How often to look at jobs that somebody waits for, beside listening; see JobFeed. */
  readonly pollSeconds?: number
}

const drainSeconds = 5

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #stopping = new AbortController()
  readonly #feed: JobFeed
  readonly #requestFeed: RequestFeed
  readonly #agentFeed: AgentFeed
  readonly #eventLoop = new EventLoopWatch()
  readonly #server: Server
  #stopped: Promise<void> | null = null

  constructor(options: HttpServerOptions) {
    this.#options = Object.freeze({ ...options })
    const { database, logger, pollSeconds } = options
    this.#requestFeed = new RequestFeed({ database })
    this.#feed = new JobFeed({
      database,
      hearsFrom: database,
      onLost: (error) => say(logger, 'feed.lost', { error }),
      ...(pollSeconds === undefined ? {} : { pollSeconds }),
    })
    this.#agentFeed = new AgentFeed(database)
    this.#server = createServer(this.#createApplication())
    // Slow senders hold a socket, and no more than this long.
    this.#server.headersTimeout = 10_000
    this.#server.requestTimeout = 30_000
    // Longer than the usual minute of proxies: who reuses a connection must not find it closed just then.
    this.#server.keepAliveTimeout = 65_000
  }

  /** Where it listens; throws before start(). */
  get url(): string {
    const address = this.#server.address() as AddressInfo | null
    if (address === null) throw new InterlockError('unavailable', 'the HTTP server has not been started')
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
    return `http://${host}:${address.port}`
  }

  /** Listens. Throws `unavailable` where somebody else does, in one line for a person. */
  async start(): Promise<void> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(toListenError(error, host, port)))
      this.#server.listen({ host, port }, resolve)
    })
    this.#feed.start()
    this.#eventLoop.start()
    say(this.#options.logger, 'http.listening', { url: this.url })
  }

  /** Accepts nobody new, ends what waits, and is gone within five seconds. May be called twice, and without a start. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    this.#stopping.abort()
    this.#eventLoop.stop()
    const feedStopped = Promise.all([this.#feed.stop(), this.#requestFeed.stop(), this.#agentFeed.stop()])
    const drained = new AbortController()
    const cut = await Promise.race([closed.then(() => 0), this.#cutAfter(drainSeconds, drained.signal)])
    drained.abort()
    await Promise.all([closed, feedStopped])
    say(this.#options.logger, 'http.stopped', { cut })
  }

  /** Closes each connection as soon as it is idle, and at the end those that are not. */
  async #cutAfter(seconds: number, signal: AbortSignal): Promise<number> {
    const deadlineMs = performance.now() + seconds * 1000
    while (performance.now() < deadlineMs && !signal.aborted) {
      this.#server.closeIdleConnections()
      await sleep(25, undefined, { signal }).catch(() => undefined)
    }
    if (signal.aborted) return 0
    const left = await new Promise<number>((resolve) => this.#server.getConnections((_error, count) => resolve(count)))
    this.#server.closeAllConnections()
    return left
  }

  #createApplication() {
    const { database, logger, host, hostNames = [], readiness = [], statusAgeSeconds = 1 } = this.#options
    const services: Services = {
      database,
      feed: this.#feed,
      requestFeed: this.#requestFeed,
      agentFeed: this.#agentFeed,
      queue: createSnapshot({ read: () => readQueueAnswers(database), maxAgeMs: statusAgeSeconds * 1000 }),
      readiness: [
        databaseCheck(database),
        schemaCheck(database),
        listenCheck(this.#feed),
        this.#eventLoop.readiness,
        ...readiness,
      ],
    }
    return createApplication({
      routes: allRoutes(services, this.#eventLoop),
      logger,
      host,
      hostNames,
      stopping: this.#stopping.signal,
    })
  }
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new HttpServer(options)
}

function toListenError(error: NodeJS.ErrnoException, host: string, port: number): InterlockError {
  switch (error.code) {
    case 'EADDRINUSE':
      return new InterlockError('unavailable', `port ${port} on ${host} is in use`, {
        hint: 'Stop what listens there, or choose another port.',
        cause: error,
      })
    case 'EACCES':
      return new InterlockError('not_permitted', `port ${port} needs more rights than this process has`, {
        hint: 'Choose one above 1023.',
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new InterlockError('invalid_argument', `${host} is no address of this machine`, {
        field: 'host',
        cause: error,
      })
    default:
      return new InterlockError('unavailable', `cannot listen on ${host}:${port}: ${error.message}`, { cause: error })
  }
}

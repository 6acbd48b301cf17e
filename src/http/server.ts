import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError } from '../domain/errors.ts'
import { say } from '../observability/log-phrases.ts'
import { programVersion } from '../store/program-version.ts'
import { createApplication } from './application.ts'
import { Auditor } from './auditor.ts'
import { Authenticator } from './authenticator.ts'
import { type Door, everyRoute } from './every-route.ts'
import { isLoopbackHost } from './host-check.ts'
import { LiveServices, type LiveServicesOptions } from './live-services.ts'
import { allRoutes } from './routes/all-routes.ts'

/**
 * The HTTP door. It translates and decides nothing: a route checks what it was sent against its contract, calls a verb
 * or a reader of the store, and shows the outcome. Routes are lists (routes/*.ts, one subject a file); what all of them
 * need is in application.ts, the list of lists in routes/all-routes.ts; errors become problem+json by the table in problem.ts.
 *
 * What they answer from is in live-services.ts.
 */
export interface HttpServerOptions extends LiveServicesOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Names under which the server may be asked, beside those of loopback. */
  readonly hostNames?: readonly string[]
  /** Doors behind the same port that call the operations by their names. */
  readonly doors?: readonly Door[]
  /** Whether callers need a key; `auto`: unless it listens on loopback alone. */
  readonly keys?: KeyPolicy
}

export type KeyPolicy = 'auto' | 'required' | 'off'

const drainSeconds = 5

export class HttpServer {
  readonly #options: HttpServerOptions
  readonly #stopping = new AbortController()
  readonly #live: LiveServices
  readonly #server: Server
  #stopped: Promise<void> | null = null

  constructor(options: HttpServerOptions) {
    this.#options = Object.freeze({ ...options })
    this.#live = new LiveServices(options)
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
    this.#live.start()
    say(this.#options.logger, 'http.listening', { url: this.url })
    if (!isLoopbackHost(host) && this.#options.keys === 'off')
      say(this.#options.logger, 'http.unguarded', { url: this.url })
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
    const liveStopped = this.#live.stop()
    const drained = new AbortController()
    const cut = await Promise.race([closed.then(() => 0), this.#cutAfter(drainSeconds, drained.signal)])
    drained.abort()
    await Promise.all([closed, liveStopped])
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
    const { database, logger, host, hostNames = [], doors = [], keys = 'auto' } = this.#options
    const auditor = new Auditor(database, logger)
    const routes = everyRoute(allRoutes(this.#live.services, this.#live.eventLoop), {
      doors,
      version: programVersion,
      auditor,
      logger,
    })
    return createApplication({
      routes,
      logger,
      host,
      hostNames,
      authenticator: new Authenticator(database, { areKeysRequired: areKeysRequired(keys, host) }),
      auditor,
      stopping: this.#stopping.signal,
    })
  }
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new HttpServer(options)
}

/** Off loopback whoever reaches the port would be an operator. */
export function areKeysRequired(keys: KeyPolicy, host: string): boolean {
  return keys === 'required' || (keys === 'auto' && !isLoopbackHost(host))
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

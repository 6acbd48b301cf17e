import { Writable } from 'node:stream'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../src/http/server.ts'
import { mcpRoutes } from '../../src/mcp/mcp-door.ts'
import { createLogger } from '../../src/observability/logger.ts'
import { rpcRoutes } from '../../src/rpc/rpc-door.ts'
import type { TestDatabase } from '../support/test-database.ts'
import { complaintOf } from './contract-check.ts'

export interface HttpDoor {
  readonly server: HttpServer
  readonly url: string
  /** What was logged, a line each, parsed. */
  readonly logged: readonly Readonly<Record<string, unknown>>[]
  get(path: string, headers?: Record<string, string>): Promise<Reply>
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
  send(method: string, path: string, init?: RequestInit): Promise<Reply>
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer is what it asserts
  readonly json: any
}

/** A real server on a free port, over a real database. */
export async function openHttpDoor(test: TestDatabase, options: Partial<HttpServerOptions> = {}): Promise<HttpDoor> {
  const logged: Record<string, unknown>[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      logged.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const server = createHttpServer({
    database: test.database,
    logger: createLogger({ destination }),
    host: '127.0.0.1',
    port: 0,
    statusAgeSeconds: 0,
    doors: [rpcRoutes, mcpRoutes],
    ...options,
  })
  await server.start()
  const send = async (method: string, path: string, init: RequestInit = {}): Promise<Reply> => {
    const response = await fetch(`${server.url}${path}`, { method, ...init })
    const text = await response.text()
    const contentType = response.headers.get('content-type') ?? ''
    const isJson = /json/.test(contentType) && !/ndjson/.test(contentType)
    const json = isJson && text !== '' ? JSON.parse(text) : null
    const complaint = complaintOf(method, path, { status: response.status, contentType, json })
    if (complaint !== null) throw new Error(`an answer breaks its contract: ${complaint}`)
    return { status: response.status, headers: response.headers, text, json }
  }
  return {
    server,
    url: server.url,
    logged,
    send,
    get: (path, headers = {}) => send('GET', path, { headers }),
    post: (path, body, headers = {}) =>
      send('POST', path, {
        headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
  }
}

/** How many rows each table has that an enqueue writes to: what is refused must leave them alone. */
export async function countRows(test: TestDatabase): Promise<Readonly<Record<string, number>>> {
  const [row] = await test.query<Record<string, number>>(
    `select (select count(*) from interlock.jobs) as jobs, (select count(*) from interlock.job_queue_log) as log,
      (select count(*) from interlock.job_lane_touches) as touches, (select count(*) from interlock.task_history) as history`,
  )
  return row ?? {}
}

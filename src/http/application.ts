import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { createAccessLog, requestIdOf } from './access-log.ts'
import { answerCall, callOf, type PermittedCall } from './answering.ts'
import type { Auditor } from './auditor.ts'
import type { Authenticator } from './authenticator.ts'
import { createGuard, principalOf } from './guard.ts'
import { createHostCheck } from './host-check.ts'
import { watchRight } from './lasting-right.ts'
import { HttpError, toProblem } from './problem.ts'
import { readJsonBody } from './request-body.ts'
import { type Answer, matchesPath, type Route } from './route.ts'

export interface ApplicationOptions {
  readonly routes: readonly Route[]
  readonly logger: Logger
  readonly host: string
  readonly hostNames: readonly string[]
  readonly authenticator: Authenticator
  readonly auditor: Auditor
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
}

/** The routes behind what all of them need: an id and a log line, the Host check, who asks and whether they may, a parsed body, errors as problems. */
export function createApplication(options: ApplicationOptions): Express {
  const { routes, logger, stopping } = options
  const application = express()
  application.disable('x-powered-by')
  application.set('query parser', 'simple')
  application.use(createAccessLog(logger, (request) => isQuiet(routes, request)))
  application.use((_request, response, next) => {
    // Whoever asks while we stop gets an answer, and looks for another server next time.
    if (stopping.aborted) response.set('Connection', 'close')
    response.set('X-Content-Type-Options', 'nosniff')
    next()
  })
  application.use(createHostCheck(options))
  for (const route of routes) {
    // Bound to the route, not to a reading of the path of our own: what the router takes for this route is guarded as it.
    // And before the body is read: who may not ask does not make us parse a megabyte.
    const guard = createGuard(route, options)
    application[methodOf(route)](route.path, guard, readJsonBody, (request: Request, response: Response) =>
      serve(route, request, response, options),
    )
  }
  application.use((request: Request) => refuse(routes, request))
  application.use(createErrorHandler(routes, logger))
  return application
}

/** A stream has so long to end well once its reader's key is good for nothing. */
const endingMs = 500

/** What the log says of who asked through this door, unless they have a key or say who they are. */
const door = 'http'

async function serve(route: Route, request: Request, response: Response, options: ApplicationOptions): Promise<void> {
  const left = new AbortController()
  response.once('close', () => left.abort())
  const principal = principalOf(response)
  const lost = route.isLong === true && principal.kind === 'key' ? watch(route, request, left.signal, options) : null
  const signals = [left.signal, options.stopping]
  const permitted: PermittedCall = {
    request,
    requestId: requestIdOf(response),
    principal,
    door,
    signal: AbortSignal.any(lost === null ? signals : [...signals, lost]),
    hasLeft: () => request.socket.destroyed,
  }
  if (route.stream !== undefined) {
    lost?.addEventListener('abort', () => void setTimeout(() => response.destroy(), endingMs), { once: true })
    return route.stream(callOf(permitted).call, { request, response })
  }
  const answer = await answerCall(route, permitted, options.auditor).catch((error: unknown) => {
    throw lost?.aborted === true ? lost.reason : error
  })
  lost?.throwIfAborted()
  send(request, response, answer)
}

function watch(route: Route, request: Request, over: AbortSignal, { authenticator }: ApplicationOptions): AbortSignal {
  return watchRight(route.scope, { authenticator, authorization: request.get('authorization'), over })
}

function send(request: Request, response: Response, { status, headers = {}, body }: Answer): void {
  response.status(status).set(headers)
  if (isKnown(request, headers.ETag)) {
    response.status(304).end()
    return
  }
  if (body === undefined) response.end()
  else if (typeof body === 'string') response.type('application/json').send(body)
  else response.json(body)
}

/**
 * Whether the caller has this already. express says no to a request with `Cache-Control: no-cache`, which fetch adds by
 * itself to every If-None-Match that its caller sets: programs would never see a 304.
 */
function isKnown(request: Request, etag: string | undefined): boolean {
  const known = request.get('if-none-match')
  if (etag === undefined || known === undefined) return false
  return known
    .split(',')
    .some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag.replace(/^W\//, ''))
}

function methodOf(route: Route) {
  return route.method.toLowerCase() as Lowercase<Route['method']>
}

function isQuiet(routes: readonly Route[], request: Request): boolean {
  return routes.some((route) => route.isQuiet === true && matchesPath(route, request.path))
}

/** Nobody has answered: either the path is unknown, or only the method is wrong. */
function refuse(routes: readonly Route[], request: Request): never {
  const methods = routes.filter((route) => matchesPath(route, request.path)).map((route) => route.method)
  if (methods.length === 0) {
    throw new HttpError(404, 'route_not_found', `There is nothing at ${request.path}.`)
  }
  const allowed = [...new Set(methods.includes('GET') ? ['HEAD', ...methods] : methods)].sort().join(', ')
  throw new HttpError(405, 'method_not_allowed', `${request.path} does not take ${request.method}.`, {
    hint: `It takes ${allowed}.`,
    headers: { Allow: allowed },
  })
}

function createErrorHandler(routes: readonly Route[], logger: Logger): ErrorRequestHandler {
  // express knows an error handler by its four parameters.
  return (thrown: unknown, request, response, _next) => {
    const requestId = requestIdOf(response)
    const error = fromRouter(thrown)
    if (error instanceof HttpError && error.code === 'malformed_json') {
      const route = routes.find((one) => one.method === request.method && matchesPath(one, request.path))
      if (route?.onMalformedBody !== undefined) return send(request, response, route.onMalformedBody(error.message))
    }
    const problem = toProblem(error, requestId)
    if (problem.status >= 500) {
      const event = problem.status === 500 ? 'http.failed' : 'http.refused'
      say(logger, event, { request_id: requestId, code: problem.body.code, error })
    }
    // Too late for a status: cut it off, so that nobody takes half an answer for a whole one.
    if (response.headersSent) {
      response.destroy()
      return
    }
    response
      .status(problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .send(JSON.stringify(problem.body))
  }
}

/** What the router itself refuses: a path that is no valid encoding. */
function fromRouter(error: unknown): unknown {
  if (error instanceof URIError) return new HttpError(400, 'malformed_path', 'The path is not validly encoded.')
  return error
}

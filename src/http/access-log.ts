import { randomUUID } from 'node:crypto'
import type { NextFunction, Request, Response } from 'express'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'

const requestIdShape = /^[A-Za-z0-9._-]{1,64}$/

/**
 * Gives each request an id (the caller's own, if it is a plain one), sends it back, and logs a line when it is over.
 * Without the query: it may name users.
 */
export function createAccessLog(logger: Logger, isQuiet: (request: Request) => boolean) {
  return function logAccess(request: Request, response: Response, next: NextFunction): void {
    const startedMs = performance.now()
    const given = request.get('x-request-id')
    const requestId = given !== undefined && requestIdShape.test(given) ? given : randomUUID()
    response.locals.requestId = requestId
    response.set('X-Request-Id', requestId)
    if (!isQuiet(request)) {
      response.once('close', () => {
        const fields = {
          request_id: requestId,
          method: request.method,
          path: request.path,
          duration_ms: Math.round((performance.now() - startedMs) * 10) / 10,
        }
        if (response.writableFinished) say(logger, 'http.answered', { ...fields, status: response.statusCode })
        else say(logger, 'http.gone', fields)
      })
    }
    next()
  }
}

export function requestIdOf(response: Response): string {
  return String(response.locals.requestId ?? '')
}

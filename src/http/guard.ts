import type { NextFunction, Request, Response } from 'express'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { refusalOf } from '../security/permission.ts'
import type { Principal } from '../security/principal.ts'
import { requestIdOf } from './access-log.ts'
import type { Auditor } from './auditor.ts'
import type { Authenticator } from './authenticator.ts'
import type { Route } from './route.ts'

export interface GuardOptions {
  readonly authenticator: Authenticator
  readonly auditor: Auditor
  readonly logger: Logger
}

/** Lets through who may ask this; refuses anybody else with 401 or 403, in the log and in the audit. */
export function createGuard(route: Route, { authenticator, auditor, logger }: GuardOptions) {
  return async function guard(request: Request, response: Response, next: NextFunction): Promise<void> {
    // Probes come every second, and answer also while the database, which knows the keys, is away.
    const principal = route.scope === 'open' ? stranger : await authenticator.authenticate(request.get('authorization'))
    const refusal = refusalOf(route.scope, principal)
    if (refusal === null) {
      response.locals.principal = principal
      return next()
    }
    const requestId = requestIdOf(response)
    const operation = `${route.method} ${route.path}`
    say(logger, 'http.not_permitted', { request_id: requestId, operation, code: refusal.code })
    await auditor.noteRefusal({ request, requestId, principal, operation }, refusal)
    throw refusal
  }
}

const stranger: Principal = { kind: 'nobody', why: 'missing', keyId: null }

/** Who asks, as the guard of the route found out; nobody, where none has. */
export function principalOf(response: Response): Principal {
  return (response.locals.principal as Principal | undefined) ?? stranger
}

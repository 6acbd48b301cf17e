import { InterlockError } from '../domain/errors.ts'
import { refuseUnsafeJson } from '../domain/safe-json.ts'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { refusalOf } from '../security/permission.ts'
import type { Principal } from '../security/principal.ts'
import { answerCall } from './answering.ts'
import { type Arguments, pathParameters, requestParts } from './arguments.ts'
import type { Auditor } from './auditor.ts'
import { toProblem } from './problem.ts'
import type { Answer, Asked, Route } from './route.ts'

/** What can be asked by name, at a door that has no paths: JSON-RPC and MCP. */
export interface Operations {
  readonly routes: readonly Route[]
  find(name: string): Route | null
  /** The answer that HTTP would give, its body parsed. Throws as the route does, and where the caller may not ask it. */
  call(route: Route, given: Arguments, context: CallContext): Promise<OperationAnswer>
}

export interface CallContext {
  readonly principal: Principal
  /** Whom the log names where nobody else is named. */
  readonly door: string
  readonly requestId: string
  readonly signal: AbortSignal
  readonly idempotencyKey?: string | undefined
}

export interface OperationAnswer {
  readonly status: number
  readonly body: unknown
}

export interface OperationsOptions {
  readonly auditor: Auditor
  readonly logger: Logger
}

/** The routes that answer with one document, by their names, called in this process. */
export function createOperations(all: readonly Route[], { auditor, logger }: OperationsOptions): Operations {
  const routes = all.filter(({ answer }) => answer !== undefined)
  const byName = new Map(routes.map((route) => [route.name, route]))

  /** The door let its caller in; each operation asks for a scope of its own. */
  async function permit(route: Route, given: Arguments, { principal, requestId }: CallContext): Promise<void> {
    const refusal = refusalOf(route.scope, principal)
    if (refusal === null) return
    const operation = `${route.method} ${route.path}`
    const request: Asked = { params: subjectOf(route, given), query: {}, body: given, get: () => undefined }
    say(logger, 'http.not_permitted', { request_id: requestId, operation, code: refusal.code })
    await auditor.noteRefusal({ request, requestId, principal, operation }, refusal)
    throw refusal
  }

  return {
    routes,
    find: (name) => byName.get(name) ?? null,
    async call(route, given, { idempotencyKey, ...context }) {
      if (route.answer === undefined) throw new InterlockError('internal', `${route.name} has no answer of one piece`)
      // First of all: who may not ask is told nothing of what is wrong with the arguments.
      await permit(route, given, context)
      refuseUnsafeJson(given)
      const request = { ...requestParts(route, given), get: headersOf(idempotencyKey) }
      try {
        const permitted = { ...context, request, hasLeft: () => context.signal.aborted }
        return parsed(await answerCall(route, permitted, auditor))
      } catch (error) {
        // The caller is told no more than the request's id.
        const isOurs = toProblem(error, context.requestId).status === 500
        if (isOurs) say(logger, 'http.failed', { request_id: context.requestId, error })
        throw error
      }
    },
  }
}

/** What a refused call was about, as far as it says so. */
function subjectOf(route: Route, given: Arguments): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pathParameters(route).flatMap((name) => {
      const value = given[name]
      return typeof value === 'string' ? [[name, value.slice(0, 300)]] : []
    }),
  )
}

function headersOf(idempotencyKey: string | undefined) {
  return (name: string): string | undefined => (name === 'idempotency-key' ? idempotencyKey : undefined)
}

function parsed({ status, body }: Answer): OperationAnswer {
  return { status, body: typeof body === 'string' ? JSON.parse(body) : body }
}

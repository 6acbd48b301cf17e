import { InterlockError } from '../domain/errors.ts'
import { refuseUnsafeJson } from '../domain/safe-json.ts'
import { type Arguments, requestParts } from './arguments.ts'
import { withDeadline } from './deadline.ts'
import { toProblem } from './problem.ts'
import type { Answer, Call, Route } from './route.ts'

/** What can be asked by name, at a door that has no paths: JSON-RPC and MCP. */
export interface Operations {
  readonly routes: readonly Route[]
  find(name: string): Route | null
  /** The answer that HTTP would give, its body parsed. Throws as the route does. */
  call(route: Route, given: Arguments, context: CallContext): Promise<OperationAnswer>
}

export interface CallContext {
  readonly requestId: string
  readonly signal: AbortSignal
  readonly idempotencyKey?: string | undefined
}

export interface OperationAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * The routes that answer with one document, by their names, called in this process. `onFailed` hears of what went wrong
 * on our side: the caller is told no more than the request's id.
 */
export function createOperations(
  all: readonly Route[],
  onFailed: (error: unknown, context: CallContext) => void,
): Operations {
  const routes = all.filter(({ answer }) => answer !== undefined)
  const byName = new Map(routes.map((route) => [route.name, route]))
  return {
    routes,
    find: (name) => byName.get(name) ?? null,
    async call(route, given, context) {
      if (route.answer === undefined) throw new InterlockError('internal', `${route.name} has no answer of one piece`)
      refuseUnsafeJson(given)
      const request = { ...requestParts(route, given), get: headersOf(context) }
      const { requestId, signal } = context
      const call: Call = { request, requestId, signal, hasLeft: () => signal.aborted }
      try {
        return parsed(await (route.isLong === true ? route.answer(call) : withDeadline(route.answer(call))))
      } catch (error) {
        if (toProblem(error, requestId).status >= 500) onFailed(error, context)
        throw error
      }
    },
  }
}

function headersOf({ idempotencyKey }: CallContext) {
  return (name: string): string | undefined => (name === 'idempotency-key' ? idempotencyKey : undefined)
}

function parsed({ status, body }: Answer): OperationAnswer {
  return { status, body: typeof body === 'string' ? JSON.parse(body) : body }
}

import type { Request, Response } from 'express'
import { ContractError } from '../domain/contract.ts'
import type { Needed } from '../security/permission.ts'
import type { Principal } from '../security/principal.ts'

export interface Answer {
  readonly status: number
  /** Sent as JSON; a string goes out as it is, as JSON too: what was made once for many callers. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Call {
  readonly request: Request
  readonly requestId: string
  readonly principal: Principal
  /** Whom the log is to name: the key that is used, or else who the caller says it is, or else the door. */
  readonly actorOf: (given?: string) => string
  /** Aborted when the caller has left or the server stops. */
  readonly signal: AbortSignal
}

/** One line of the interface: a method, a path with `:names`, and who answers. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH'
  readonly path: string
  /** What a caller has to be allowed to. `open`: anybody may ask, also without a key. */
  readonly scope: Needed
  /**
   * Of an operator's or administrator's call, who writes the line of the audit: the door, unless set; `verb`, in its own
   * transaction; `nobody`, where a holder says every few seconds that it still holds.
   */
  readonly auditedBy?: 'verb' | 'nobody'
  /** Returns the answer, or throws the error that is one. Has to be done within the server's deadline unless `isLong`. */
  readonly answer?: (call: Call) => Promise<Answer>
  /** Writes the answer itself, bit by bit. Throws only before its first byte. */
  readonly stream?: (call: Call, response: Response) => Promise<void>
  /** It waits for something, and looks after its own deadline. */
  readonly isLong?: boolean
  /** Asked by machines every few seconds: kept out of the log. */
  readonly isQuiet?: boolean
}

/** Whether the path is one of the route's, and so whether the method alone was wrong. */
export function matchesPath(route: Route, path: string): boolean {
  const parts = route.path.split('/')
  const given = path.replace(/\/$/, '').split('/')
  return parts.length === given.length && parts.every((part, index) => part.startsWith(':') || part === given[index])
}

/** A parameter of the path, which the router has found there. */
export function pathParameter(request: Request, name: string): string {
  const value = request.params[name]
  if (typeof value !== 'string') throw new TypeError(`the route has no parameter ${name}`)
  return value
}

/** What a caller names its request by, so that it may be repeated; null: it does not. Throws `invalid_argument`. */
export function idempotencyKey(request: Request): string | null {
  const key = request.get('idempotency-key')
  if (key === undefined) return null
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new ContractError([{ field: 'Idempotency-Key', message: 'must be 1 to 200 visible characters of ASCII' }])
}

import type { Request, Response } from 'express'
import type { z } from 'zod'
import { ContractError } from '../domain/contract.ts'
import type { Needed } from '../security/permission.ts'
import type { Principal } from '../security/principal.ts'

export interface Answer {
  readonly status: number
  /** Sent as JSON; a string goes out as it is, as JSON too: what was made once for many callers. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What a route reads of a request. One of express is such a thing, and so is what the other doors make of a call. */
export interface Asked {
  readonly params: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Text by name, as a URL has it. */
  readonly query: object
  readonly body: unknown
  /** A header of the request, by its name in lower case. */
  get(header: string): string | undefined
}

export interface Call {
  readonly request: Asked
  readonly requestId: string
  readonly principal: Principal
  /** Whom the log is to name: the key that is used, or else who the caller says it is, or else the door. */
  readonly actorOf: (given?: string) => string
  /** Aborted when the caller has left or the server stops. */
  readonly signal: AbortSignal
  /** Whether nobody would read the answer any more. */
  readonly hasLeft: () => boolean
}

/** What a call does to what there is: what a person, or a model that calls by itself, wants to know before. */
export type Effect = 'read' | 'change' | 'destroy'

/**
 * One thing that can be asked, with its contract: OpenAPI, JSON-RPC and MCP are made of these, so what they say of a call
 * is what the call checks.
 */
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
  /** The verb's name at every door: `cancel_job`. */
  readonly name: string
  /** What it does, in a sentence for somebody who has not read the manual. */
  readonly summary: string
  /** `read` for a GET, `destroy` for a DELETE, `change` for the others unless set. */
  readonly effect?: Effect
  /** What it takes in its URL; nothing unless set. */
  readonly query?: z.ZodObject
  /** What it takes as its body; nothing unless set. */
  readonly body?: z.ZodType
  /** That the body may be left out. */
  readonly isBodyOptional?: boolean
  /** Whether it may be repeated under an Idempotency-Key. */
  readonly takesIdempotencyKey?: boolean
  /** What it answers, by status. Refusals are not listed: each is a problem (problem.ts). */
  readonly answers: Readonly<Record<number, z.ZodType>>
  /** Returns the answer, or throws the error that is one. Has to be done within the server's deadline unless `isLong`. */
  readonly answer?: (call: Call) => Promise<Answer>
  /** Writes the answer itself, bit by bit; over HTTP this one answers. Throws only before its first byte. */
  readonly stream?: (call: Call, exchange: Exchange) => Promise<void>
  /** What is answered to a body that is no JSON, where that is no problem of HTTP. */
  readonly onMalformedBody?: (message: string) => Answer
  /** It waits for something, and looks after its own deadline. */
  readonly isLong?: boolean
  /** Asked by machines every few seconds: kept out of the log. */
  readonly isQuiet?: boolean
}

/** Both sides of an HTTP call, for who writes the answer bit by bit. */
export interface Exchange {
  readonly request: Request
  readonly response: Response
}

/** Whether the path is one of the route's, and so whether the method alone was wrong. */
export function matchesPath(route: Route, path: string): boolean {
  const parts = route.path.split('/')
  const given = path.replace(/\/$/, '').split('/')
  return parts.length === given.length && parts.every((part, index) => part.startsWith(':') || part === given[index])
}

/** A parameter of the path, which the router has found there. */
export function pathParameter(request: Asked, name: string): string {
  const value = request.params[name]
  if (typeof value !== 'string') throw new TypeError(`the route has no parameter ${name}`)
  return value
}

/** What a caller names its request by, so that it may be repeated; null: it does not. Throws `invalid_argument`. */
export function idempotencyKey(request: Asked): string | null {
  const key = request.get('idempotency-key')
  if (key === undefined) return null
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new ContractError([{ field: 'Idempotency-Key', message: 'must be 1 to 200 visible characters of ASCII' }])
}

/** Says of an answer that it was given before, for the same key. */
export function replayed(isRepeated: boolean): Readonly<Record<string, string>> {
  return isRepeated ? { 'Idempotency-Replayed': 'true' } : {}
}

/** What it does to what there is, said or by its method. */
export function effectOf({ effect, method }: Route): Effect {
  if (effect !== undefined) return effect
  return method === 'GET' ? 'read' : method === 'DELETE' ? 'destroy' : 'change'
}

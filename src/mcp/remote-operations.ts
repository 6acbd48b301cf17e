import { HttpClient } from '../client/http-client.ts'
import { requestParts } from '../http/arguments.ts'
import type { Route } from '../http/route.ts'
import type { CallOperation } from './mcp-server.ts'

/** The longest that a waiting call may wait, and a little. */
const longSeconds = 660

/** Calls operations at a coordinator somewhere else, as curl would. */
export function callRemotely(url: string, key: string | null): CallOperation {
  const client = new HttpClient({ url, key })
  return async (route, given, { signal, idempotencyKey }) => {
    const { params, query, body } = requestParts(route, given)
    const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
    const answer = await client.send(`${path}${searchOf(query)}`, {
      method: route.method,
      signal,
      timeoutSeconds: route.isLong === true ? longSeconds : 30,
      ...(body === undefined || isEmpty(route, body) ? {} : { body }),
      ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
    })
    return { status: 200, body: answer }
  }
}

/** A lone `{}` says nothing where a body may be left out. */
function isEmpty(route: Route, body: unknown): boolean {
  return route.isBodyOptional === true && Object.keys(body as object).length === 0
}

function searchOf(query: Readonly<Record<string, string | readonly string[]>>): string {
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : value.map((one) => [name, one]),
    ),
  )
  return search.size === 0 ? '' : `?${search}`
}

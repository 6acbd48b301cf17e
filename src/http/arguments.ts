import { z } from 'zod'
import { ContractError, maxViolations } from '../domain/contract.ts'
import { showMeaning } from './query.ts'
import type { Route } from './route.ts'

// A call of JSON-RPC or MCP names all its arguments in one object; HTTP has a path, a query and a body. This is the
// one place that knows which is which.

export type Arguments = Readonly<Record<string, unknown>>
export type JsonSchema = Readonly<Record<string, unknown>>

/** The parts of an HTTP request that a route reads. */
export interface RequestParts {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly body: unknown
}

/** Puts each argument where the route looks for it. Throws a ContractError for what is in none of its places. */
export function requestParts(route: Route, given: Arguments): RequestParts {
  const inPath = pathParameters(route)
  const inBody = bodyFields(route)
  const inQuery = new Set(Object.keys(route.query?.shape ?? {}))
  const query: Record<string, string | readonly string[]> = {}
  const body: Record<string, unknown> = {}
  const unknownArguments: string[] = []
  for (const [name, value] of Object.entries(given)) {
    if (inPath.includes(name) || value === undefined) continue
    if (route.query === undefined && route.body === undefined) unknownArguments.push(name)
    if (inQuery.has(name) && !inBody.has(name)) query[name] = queryText(name, value)
    // What nobody knows goes where it is refused by its name.
    else if (route.body === undefined) query[name] = queryText(name, value)
    else body[name] = value
  }
  if (unknownArguments.length > 0) {
    const shown = unknownArguments.slice(0, maxViolations)
    throw new ContractError(shown.map((field) => ({ field, message: 'is not a known field' })))
  }
  return {
    params: Object.fromEntries(inPath.map((name) => [name, pathText(name, given[name])])),
    query,
    body: route.body === undefined ? undefined : body,
  }
}

/** All arguments of a call as one JSON Schema (2020-12). */
export function argumentsSchema(route: Route): JsonSchema {
  const parts = [route.query, route.body].filter((part) => part !== undefined).map(inputSchema)
  const path = pathParameters(route)
  const merged = parts.reduce<Parts>(
    (all, part) => ({
      properties: { ...all.properties, ...part.properties },
      required: [...all.required, ...(part.required ?? [])],
      $defs: { ...all.$defs, ...part.$defs },
    }),
    { properties: {}, required: [], $defs: {} },
  )
  const inPath = Object.fromEntries(path.map((name) => [name, { type: 'string', minLength: 1 }]))
  return {
    type: 'object',
    properties: { ...merged.properties, ...inPath },
    required: [...new Set([...path, ...merged.required])],
    additionalProperties: false,
    ...(Object.keys(merged.$defs).length === 0 ? {} : { $defs: merged.$defs }),
  }
}

interface Parts {
  readonly properties: JsonSchema
  readonly required: readonly string[]
  readonly $defs: JsonSchema
}

/** The names in a path, in their order: `['id']` of `/jobs/:id/cancel`. */
export function pathParameters({ path }: Route): readonly string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
}

function inputSchema(schema: z.ZodType): Partial<Parts> {
  const options = { io: 'input', unrepresentable: 'any', override: showMeaning } as const
  const shown = z.toJSONSchema(schema, options) as Partial<Parts> & { readonly $ref?: string }
  // A schema with an id of its own is shown as a reference to itself.
  const own = shown.$ref?.startsWith('#/$defs/') === true ? shown.$defs?.[shown.$ref.slice(8)] : undefined
  return own === undefined ? shown : { ...(own as Partial<Parts>), $defs: shown.$defs ?? {} }
}

function bodyFields({ body }: Route): ReadonlySet<string> {
  return new Set(body === undefined ? [] : Object.keys(inputSchema(body).properties ?? {}))
}

function pathText(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  const message = value === undefined ? 'is required' : 'must be a string of at least 1 character'
  throw new ContractError([{ field: name, message }])
}

/** A value as a URL has it; the route reads it again, and says what is wrong with it. */
function queryText(name: string, value: unknown): string | readonly string[] {
  if (Array.isArray(value)) return value.map((part) => scalarText(name, part))
  return scalarText(name, value)
}

function scalarText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new ContractError([{ field: name, message: 'must be a text, a number, or true or false' }])
}

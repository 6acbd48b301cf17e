import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Auditor } from '../../src/http/auditor.ts'
import { everyRoute } from '../../src/http/every-route.ts'
import { openApiOf } from '../../src/http/openapi.ts'
import type { EventLoopWatch } from '../../src/http/readiness.ts'
import { matchesPath, type Route } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes/all-routes.ts'
import type { Services } from '../../src/http/services.ts'
import { mcpRoutes } from '../../src/mcp/mcp-door.ts'
import type { Logger } from '../../src/observability/logger.ts'
import { rpcRoutes } from '../../src/rpc/rpc-door.ts'

// What the document says of an answer, held against the answer. Every HTTP test asks through a door that does this.

export const routes: readonly Route[] = everyRoute(allRoutes({} as Services, {} as EventLoopWatch), {
  doors: [rpcRoutes, mcpRoutes],
  version: '0.0.0',
  auditor: {} as Auditor,
  logger: {} as Logger,
})
export const document = openApiOf(routes, '0.0.0')

const ajv = new Ajv2020.default({ strict: false, allErrors: true })
addFormats.default(ajv)
ajv.addSchema(document, 'openapi')
const validators = new Map<string, ValidateFunction>()

function validatorOf(pointer: string): ValidateFunction {
  const known = validators.get(pointer)
  if (known !== undefined) return known
  const made = ajv.compile({ $ref: `openapi#${pointer}` })
  validators.set(pointer, made)
  return made
}

/** The route that answers a call; null where the path or the method is nobody's. */
export function routeOf(method: string, path: string): Route | null {
  const [bare = ''] = path.split('?')
  const asked = method === 'HEAD' ? 'GET' : method
  return routes.find((route) => route.method === asked && matchesPath(route, bare)) ?? null
}

/** What an answer in JSON has that the document does not say, or lacks that it says; null: nothing. */
export function complaintOf(
  method: string,
  path: string,
  { status, contentType, json }: { readonly status: number; readonly contentType: string; readonly json: unknown },
): string | null {
  const route = routeOf(method, path)
  if (route === null || json === null) return null
  // A status may be an answer's and a refusal's: 503 of an unhealthy queue, and of a database that is away.
  const isDocumented = Object.hasOwn(route.answers, status) && !/problem/.test(contentType)
  if (!isDocumented && status < 400) return `${route.name} answers ${status}, which its contract does not know`
  const response = isDocumented ? `${status}` : 'default'
  const type = isDocumented ? 'application/json' : 'application/problem+json'
  const at = ['paths', route.path.replaceAll(/:(\w+)/g, '{$1}'), route.method.toLowerCase(), 'responses', response]
  const pointer = [...at, 'content', type, 'schema'].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
  const validate = validatorOf(`/${pointer.map(encodeURIComponent).join('/')}`)
  if (validate(json)) return null
  return `${route.name} ${status}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(json).slice(0, 500)}`
}

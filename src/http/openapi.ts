import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import { pathParameters } from './arguments.ts'
import { showMeaning } from './query.ts'
import { effectOf, type Route } from './route.ts'

/** A refusal, as RFC 9457 has it. */
const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('What a program decides by.'),
    field: z.string().optional(),
    hint: z.string().optional().describe('The way out.'),
    violations: z
      .array(z.object({ field: z.string(), message: z.string(), hint: z.string().optional() }))
      .optional()
      .describe('Everything that is wrong with the request, at once.'),
    request_id: z.string(),
  })
  .meta({ id: 'Problem' })

const refusal = {
  description: 'A refusal, or an error of ours: `code` says which.',
  content: { 'application/problem+json': { schema: problem } },
} as const

const idempotencyKey = z.string().regex(/^[\x21-\x7e]{1,200}$/)

/** OpenAPI 3.1 of all routes, made of the contracts that the routes check their calls by. */
export function openApiOf(routes: readonly Route[], version: string): ReturnType<typeof createDocument> {
  const paths: Record<string, ZodOpenApiPathsObject[string]> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) }
  }
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'Interlock',
        version,
        description: 'Decides when a job may run. Every refusal is a problem (RFC 9457) with a `code`.',
      },
      paths,
    },
    { override: showMeaning },
  )
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const parameters = pathParameters(route)
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.path.split('/')[1] ?? ''],
    'x-effect': effectOf(route),
    requestParams: {
      ...(parameters.length === 0
        ? {}
        : { path: z.object(Object.fromEntries(parameters.map((name) => [name, z.string()]))) }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(route.takesIdempotencyKey === true
        ? { header: z.object({ 'Idempotency-Key': idempotencyKey.optional() }) }
        : {}),
    },
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.isBodyOptional !== true,
            content: { 'application/json': { schema: route.body } },
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, schema]) => [
          status,
          {
            description: schema.description ?? 'Done.',
            ...(schema instanceof z.ZodVoid ? {} : { content: contentOf(Number(status), schema) }),
          },
        ]),
      ),
      default: refusal,
    },
  }
}

/** Such a status is a refusal's as well: 503 of an unhealthy queue, and of a database that is away. */
function contentOf(status: number, schema: z.ZodType) {
  return { 'application/json': { schema }, ...(status < 400 ? {} : refusal.content) }
}

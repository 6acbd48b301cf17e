import { z } from 'zod'
import { argumentsSchema, type JsonSchema } from '../http/arguments.ts'
import { effectOf, type Route } from '../http/route.ts'

/** A tool as a client of MCP is shown it. */
export interface ToolView {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonSchema & { readonly type: 'object' }
  readonly outputSchema: JsonSchema & { readonly type: 'object' }
  readonly annotations: {
    readonly title: string
    readonly readOnlyHint: boolean
    readonly destructiveHint: boolean
    readonly idempotentHint: boolean
    readonly openWorldHint: boolean
  }
}

/** What a model can do with a route: its contract, in the words of MCP. */
export function toolOf(route: Route): ToolView {
  const effect = effectOf(route)
  return {
    name: route.name,
    description: route.summary,
    inputSchema: { ...argumentsSchema(route), type: 'object' },
    outputSchema: outputSchema(route),
    annotations: {
      title: titleOf(route.name),
      readOnlyHint: effect === 'read',
      destructiveHint: effect === 'destroy',
      // Setting something twice is setting it once; a POST may create another one.
      idempotentHint: effect === 'read' || route.method !== 'POST',
      openWorldHint: false,
    },
  }
}

/** What the answer has, whichever of its statuses it comes with; MCP wants one object. */
function outputSchema(route: Route): ToolView['outputSchema'] {
  const schemas = [...new Set(Object.values(route.answers))].filter((schema) => !(schema instanceof z.ZodVoid))
  const [first, ...rest] = schemas
  if (first === undefined) return { type: 'object' }
  const whole = rest.length === 0 ? first : z.union([first, ...rest])
  const { $schema: _schema, ...shown } = z.toJSONSchema(whole, { io: 'output', unrepresentable: 'any' })
  return { ...shown, type: 'object' }
}

/** `cancel_job` as people read it. */
function titleOf(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`.replaceAll('_', ' ')
}

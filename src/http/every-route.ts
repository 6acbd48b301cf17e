import { type CallContext, createOperations, type Operations } from './operations.ts'
import type { Route } from './route.ts'
import { documentRoutes } from './routes/documents.ts'

/** Makes its routes of the operations that there are: JSON-RPC, MCP. */
export type Door = (operations: Operations, version: string) => readonly Route[]

export interface EveryRouteOptions {
  readonly doors: readonly Door[]
  readonly version: string
  /** Hears of what went wrong on our side behind a door. */
  readonly onFailed: (error: unknown, context: CallContext) => void
}

/** The routes, the doors that call them by their names, and the document that describes them all. */
export function everyRoute(
  routes: readonly Route[],
  { doors, version, onFailed }: EveryRouteOptions,
): readonly Route[] {
  const operations = createOperations(routes, onFailed)
  const described = [...routes, ...doors.flatMap((door) => door(operations, version))]
  return [...described, ...documentRoutes(described, version)]
}

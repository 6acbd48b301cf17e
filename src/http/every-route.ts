import { createOperations, type Operations, type OperationsOptions } from './operations.ts'
import type { Route } from './route.ts'
import { documentRoutes } from './routes/documents.ts'

/** Makes its routes of the operations that there are: JSON-RPC, MCP. */
export type Door = (operations: Operations, version: string) => readonly Route[]

export interface EveryRouteOptions extends OperationsOptions {
  readonly doors: readonly Door[]
  readonly version: string
}

/** The routes, the doors that call them by their names, and the document that describes them all. */
export function everyRoute(routes: readonly Route[], options: EveryRouteOptions): readonly Route[] {
  const { doors, version } = options
  const operations = createOperations(routes, options)
  const described = [...routes, ...doors.flatMap((door) => door(operations, version))]
  return [...described, ...documentRoutes(described, version)]
}

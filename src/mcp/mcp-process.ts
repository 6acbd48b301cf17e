import { LiveServices } from '../http/live-services.ts'
import { createOperations } from '../http/operations.ts'
import type { EventLoopWatch } from '../http/readiness.ts'
import { allRoutes } from '../http/routes/all-routes.ts'
import type { Services } from '../http/services.ts'
import { createLogger } from '../observability/logger.ts'
import { Database } from '../store/database.ts'
import { checkSchema } from '../store/migrations.ts'
import { programVersion } from '../store/program-version.ts'
import { checkServer } from '../store/server-check.ts'
import type { McpOptions } from './mcp-server.ts'
import { serveOverStdio } from './mcp-stdio.ts'
import { callRemotely } from './remote-operations.ts'

/** Where the queue is: behind HTTP, or straight in a database. */
export type Place = { readonly url: string } | { readonly databaseUrl: string }

export interface McpProcessOptions {
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** What is of interest to a person goes to stderr: stdout is the protocol's. */
  readonly onError: (error: Error) => void
}

const statementTimeoutSeconds = 10
const poolSize = 4

/** `interlock mcp`: one client over stdin and stdout, until it leaves. */
export async function serveMcp(place: Place, options: McpProcessOptions): Promise<void> {
  if ('url' in place) {
    // Nobody is asked anything of these routes: they are here for their contracts.
    const contracts = allRoutes({} as Services, {} as EventLoopWatch)
    const { routes } = createOperations(contracts, options.onError as () => void)
    return serveOverStdio(served(routes, callRemotely(place.url)), options)
  }
  const database = new Database({
    url: place.databaseUrl,
    poolSize,
    statementTimeoutSeconds,
    onIdleError: options.onError,
  })
  const live = new LiveServices({ database, logger: createLogger({ level: 'warn', format: 'text', color: false }) })
  try {
    await checkServer(database)
    await checkSchema(database)
    live.start()
    const operations = createOperations(allRoutes(live.services, live.eventLoop), (error) =>
      options.onError(error instanceof Error ? error : new Error(String(error))),
    )
    await serveOverStdio(served(operations.routes, operations.call), options)
  } finally {
    await live.stop()
    await database.end()
  }
}

function served(routes: McpOptions['routes'], call: McpOptions['call']): McpOptions {
  return { routes, call, version: programVersion }
}

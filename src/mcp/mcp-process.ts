import { Auditor } from '../http/auditor.ts'
import { LiveServices } from '../http/live-services.ts'
import { createOperations } from '../http/operations.ts'
import type { EventLoopWatch } from '../http/readiness.ts'
import { allRoutes } from '../http/routes/all-routes.ts'
import type { Services } from '../http/services.ts'
import { createLogger } from '../observability/logger.ts'
import type { PayloadEncryption } from '../security/payload-encryption.ts'
import { trusted } from '../security/principal.ts'
import { Database } from '../store/database.ts'
import { checkSchema } from '../store/migrations.ts'
import { programVersion } from '../store/program-version.ts'
import { checkServer } from '../store/server-check.ts'
import type { McpOptions } from './mcp-server.ts'
import { serveOverStdio } from './mcp-stdio.ts'
import { callRemotely } from './remote-operations.ts'

/** Where the queue is: behind HTTP, or straight in a database. */
export type Place =
  | { readonly url: string; readonly key: string | null }
  | {
      readonly databaseUrl: string
      readonly security: { readonly isDatabaseTlsRequired: boolean; readonly encryption: PayloadEncryption }
    }

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
    const routes = allRoutes({} as Services, {} as EventLoopWatch).filter(({ answer }) => answer !== undefined)
    return serveOverStdio(served(routes, callRemotely(place.url, place.key)), options)
  }
  const { isDatabaseTlsRequired, encryption } = place.security
  const database = new Database({
    url: place.databaseUrl,
    poolSize,
    statementTimeoutSeconds,
    onIdleError: options.onError,
  })
  const logger = createLogger({ level: 'warn', format: 'text', color: false })
  const live = new LiveServices({ database, logger, encryption })
  try {
    await checkServer(database, { needsTls: isDatabaseTlsRequired })
    await checkSchema(database)
    live.start()
    const auditor = new Auditor(database, logger)
    const { routes, call } = createOperations(allRoutes(live.services, live.eventLoop), { auditor, logger })
    await serveOverStdio(served(routes, call), options)
  } finally {
    await live.stop()
    await database.end()
  }
}

/** Whoever may start this process may read its configuration: there is nobody else to ask for a key. */
function served(routes: McpOptions['routes'], call: McpOptions['call']): McpOptions {
  return { routes, call, version: programVersion, whoAsks: () => trusted }
}

import { Agent } from './agent/agent.ts'
import type { AgentLog } from './agent/agent-log.ts'
import { memoryLimitingWords } from './agent/memory-limits.ts'
import type { App, AppOptions } from './cli/launcher.ts'
import { type Config, inheritedEnvironment } from './config.ts'
import { inheritedByJobs } from './domain/job-environment.ts'
import { areKeysRequired, createHttpServer } from './http/server.ts'
import { mcpRoutes } from './mcp/mcp-door.ts'
import { createLogger, type Logger } from './observability/logger.ts'
import { rpcRoutes } from './rpc/rpc-door.ts'
import { Database } from './store/database.ts'
import { startEmbeddedServer } from './store/embedded-server.ts'
import { checkSchema, migrate } from './store/migrations.ts'
import { applyPolicy, type Policy } from './store/policy.ts'
import { checkServer, describeUrl } from './store/server-check.ts'
import { createCoordinator } from './worker/worker.ts'

/**
 * The composition root: the one file that knows every part, and the order in which they depend on each other.
 *
 *     Postgres -> schema -> policy -> coordinator -> HTTP -> agent
 *
 * They are stopped in reverse: first the agent, while the coordinator still answers it, last the server. What has come
 * up is stopped however far the start got.
 */

/** A long-lived part. */
interface Service {
  stop(): Promise<void>
  /** Where a part has not stopped in time: lets go of what it waits for. */
  abandon?(): void
}

// What runs in the database is over in moments, or will never be answered. Only an agent needs longer, and has its own limit.
const stopMsMax = 5000
/** Verbs take moments; what takes longer is most likely a connection that has gone mute, and is found by this. */
const statementTimeoutSeconds = 10

interface Surroundings {
  readonly config: Config
  readonly options: AppOptions
  readonly logger: Logger
  readonly signal: AbortSignal
  /** Remembers what came up, or is about to, to stop it. */
  keep(service: Service): void
}

const embeddedDatabase = 'interlock'

export function createApp(config: Config, options: AppOptions): App {
  const logger = createLogger({
    level: options.logLevel,
    format: config.log.format === 'auto' ? (options.log.isInteractive ? 'text' : 'json') : config.log.format,
    color: options.log.hasColour,
  })
  const running: Service[] = []
  let databaseUrl: string | null = null
  let starting: Promise<void> | null = null
  let stopping: Promise<void> | null = null
  const ended = Promise.withResolvers<void>()

  const start = async (signal: AbortSignal): Promise<void> => {
    const around: Surroundings = { config, options, logger, signal, keep: (service) => void running.push(service) }
    databaseUrl = config.database.url ?? (await startPostgres(around))
    const database = await openDatabase(around, databaseUrl)
    if (options.parts.coordinator) await startCoordinator(around, database)
    const url = options.parts.http ? await startHttp(around, database) : config.client.url
    if (options.parts.agent) {
      const agent = await startAgent(around, database, url)
      if (!options.parts.coordinator && !options.parts.http) void agent.ended.then(() => ended.resolve())
    }
  }

  const stop = async (): Promise<void> => {
    // A part that is just coming up is waited for: nobody else would stop it.
    await starting?.catch(() => undefined)
    for (const service of running.toReversed()) {
      const abandon = () => {
        logger.warn({}, 'the database does not answer; it is not waited for any longer')
        for (const other of running) other.abandon?.()
      }
      const late = service instanceof Agent ? undefined : setTimeout(abandon, stopMsMax)
      await service.stop().catch((error: unknown) => logger.error({ error }, 'a part did not stop in order'))
      clearTimeout(late)
    }
  }

  return {
    ended: ended.promise,
    get databaseUrl() {
      return databaseUrl
    },
    start(signal) {
      starting ??= start(signal)
      return starting
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

async function startPostgres({ config, options, signal, keep }: Surroundings): Promise<string> {
  const server = await startEmbeddedServer({ dataDir: config.database.dataDir, signal })
  keep(server)
  await server.ensureDatabase(embeddedDatabase)
  const { dataDir, port, startedHere } = server
  // The password stays in its file: whoever may read it may use the line, and nobody reads it off a screen.
  const psql = `PGPASSWORD="$(cat ${shellWord(`${dataDir}/server/password`)})" psql -h 127.0.0.1 -p ${port} -U postgres ${embeddedDatabase}`
  options.onUp({
    part: 'postgres',
    text: `port ${port}, data in ${dataDir}${startedHere ? '' : ', found running'}`,
    details: { port, data_dir: dataDir, started_here: startedHere, psql },
  })
  options.onUp({ part: 'psql', text: psql, details: { command: psql } })
  return server.url(embeddedDatabase)
}

async function openDatabase(around: Surroundings, url: string): Promise<Database> {
  const { config, options, logger, signal, keep } = around
  signal.throwIfAborted()
  const database = new Database({
    url,
    poolSize: config.database.poolSize,
    statementTimeoutSeconds,
    onIdleError: (error) => logger.debug({ error }, 'an idle connection to the database broke'),
  })
  keep({ stop: () => database.end(), abandon: () => database.abandon() })
  const { major } = await checkServer(database, { needsTls: config.security.isDatabaseTlsRequired })
  if (config.database.url !== null) {
    const address = describeUrl(url)
    options.onUp({ part: 'postgres', text: `${address} (Postgres ${major})`, details: { address, major } })
  }
  if (options.parts.migrations) {
    const log = (sentence: string) => logger.info(sentence)
    const { applied, functionsInstalled } = await migrate(database, { signal, log })
    const text = [...applied, ...(functionsInstalled ? ['functions and views'] : [])].join(', ')
    options.onUp({
      part: 'schema',
      text: text === '' ? 'up to date' : `installed ${text}`,
      details: { applied, functions_installed: functionsInstalled },
    })
  } else {
    await checkSchema(database)
  }
  return database
}

async function startCoordinator(around: Surroundings, database: Database): Promise<void> {
  const { config, options, logger, signal, keep } = around
  signal.throwIfAborted()
  const changed = await applyPolicy(database, policyOf(config), 'configuration')
  const coordinator = createCoordinator({
    database,
    logger,
    retention: config.retention,
    webhook: config.alarms.webhook,
  })
  keep(coordinator)
  await coordinator.start()
  options.onUp({
    part: 'coordinator',
    text: changed.length === 0 ? 'assigns, sweeps and prunes' : `assigns, sweeps and prunes; set ${changed.join(', ')}`,
    details: { policy_set: changed },
  })
}

async function startHttp(around: Surroundings, database: Database): Promise<string> {
  const { config, options, logger, signal, keep } = around
  signal.throwIfAborted()
  const { host, port, hostNames } = config.http
  const server = createHttpServer({
    database,
    logger,
    host,
    port,
    hostNames,
    keys: config.security.keys,
    doors: [rpcRoutes, mcpRoutes],
    encryption: config.security.encryption,
  })
  keep(server)
  await server.start()
  const needsKeys = areKeysRequired(config.security.keys, host)
  const text = needsKeys ? `${server.url}; callers need a key (interlock keys create)` : server.url
  options.onUp({ part: 'http', text, details: { url: server.url, needs_keys: needsKeys } })
  return server.url
}

async function startAgent(around: Surroundings, database: Database, url: string | null): Promise<Agent> {
  const { config, options, logger, signal, keep } = around
  signal.throwIfAborted()
  const { name, queues, slots, permissionLevels, drainSeconds, burst, maxJobs, maxIdleSeconds } = config.agent
  const agent = new Agent({
    database,
    name,
    queues,
    slots,
    permissionLevels,
    drainSeconds,
    burst,
    maxJobs,
    maxIdleSeconds,
    tasks: config.tasks,
    keyRing: config.security.encryption.ring,
    log: options.showsEvents ? quietAboutJobs(logger) : logger,
    environment: inheritedByJobs(inheritedEnvironment()),
    leaseSeconds: config.agents.leaseSeconds,
    heartbeatSeconds: config.agents.heartbeatSeconds,
    liveness: config.agents.liveness,
    url,
  })
  keep(agent)
  await agent.start()
  const tasks = Object.keys(config.tasks)
  options.onUp({
    part: 'agent',
    text: `${agent.id}, ${slots} slots for ${queues.join(', ')}; ${describeTasks(tasks)}${describeMemory(agent)}`,
    details: { agent_id: agent.id, slots, queues, tasks, memory_limiting: agent.memoryLimiting },
  })
  return agent
}

/** A log in which warnings about a single job are of interest to who debugs only. */
function quietAboutJobs(logger: Logger): AgentLog {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => ('jobId' in fields ? logger.debug(fields, message) : logger.warn(fields, message)),
    error: (fields, message) => logger.error(fields, message),
  }
}

function describeTasks(tasks: readonly string[]): string {
  if (tasks.length === 0) return 'knows no tasks: name some in interlock.toml, [tasks.<name>]'
  return `tasks ${tasks.join(', ')}`
}

function describeMemory({ memoryLimiting }: Agent): string {
  return memoryLimiting === null ? '' : `; their memory limited ${memoryLimitingWords[memoryLimiting]}`
}

/** A path as a shell takes it for one word. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}

/** What the configuration says of queues and limits, as rows. */
function policyOf(config: Config): Policy {
  const { perUser, perModel, serialiseAll } = config.exclusivity
  const limits: Record<string, number | null | 'default'> = {}
  if (perUser !== null) limits['user:*'] = perUser ? 'default' : null
  if (perModel !== null) limits['model:*'] = perModel ? 'default' : null
  if (serialiseAll !== null) limits['limit:all'] = serialiseAll ? 1 : 'default'
  return {
    queues: config.queues,
    backlog: config.backlog,
    limits: { ...limits, ...config.resources },
    agents: config.agents.policy,
    alarms: config.alarms.policy,
  }
}

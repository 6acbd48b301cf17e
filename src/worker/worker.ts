import {
  Logger as GraphileLogger,
  parseCronItems,
  type Runner,
  run,
  runMigrations,
  type TaskList,
} from 'graphile-worker'
import { Dispatcher } from '../coordinator/dispatcher.ts'
import { Pruner, type Retention } from '../coordinator/pruner.ts'
import { Ticker } from '../coordinator/ticker.ts'
import type { Logger } from '../observability/logger.ts'
import type { Database } from '../store/database.ts'

export interface CoordinatorOptions {
  readonly database: Database
  readonly logger: Logger
  readonly retention?: Retention
  /** How often the tick comes; 500 unless set. */
  readonly tickIntervalMs?: number
}

export interface Coordinator {
  readonly dispatcher: Dispatcher
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * A coordinator: the answerer of doorbells, the clock and the pruner, set off by graphile-worker.
 *
 * graphile-worker's row is never the truth about a job. It rings, it keeps time, it delivers: a bell that is lost or
 * answered twice does no harm, for what is startable is asked of the lanes, and the tick stands behind it.
 */
export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { database, logger } = options
  const dispatcher = new Dispatcher({ database })
  const ticker = new Ticker({
    database,
    dispatcher,
    logger,
    ...(options.tickIntervalMs === undefined ? {} : { intervalMs: options.tickIntervalMs }),
  })
  const pruner = new Pruner(database, options.retention ?? { logDays: 7, historyDays: 365 }, logger)
  let runner: Runner | null = null

  const tasks: TaskList = {
    dispatch: async (payload) => {
      const route = routeOf(payload)
      if (route !== null) await dispatcher.dispatch(route)
    },
    ensure_partitions: () => pruner.ensurePartitions(),
    prune_history: () => pruner.prune(),
  }

  return {
    dispatcher,
    async start() {
      const log = graphileLogger(logger)
      await runMigrations({ pgPool: database.pool, preset: { worker: { logger: log } } })
      // Not being able to, while somebody reads the log for long, is no reason not to start: rows have the DEFAULT partition.
      await pruner.ensurePartitions().catch((error: unknown) => {
        logger.warn({ err: error }, 'partitions not made now; the crontab tries again')
      })
      runner = await run({
        pgPool: database.pool,
        taskList: tasks,
        noHandleSignals: true,
        parsedCronItems: parseCronItems([
          { task: 'ensure_partitions', match: '5 */6 * * *' },
          { task: 'prune_history', match: '17 * * * *' },
        ]),
        preset: {
          worker: {
            logger: log,
            concurrentJobs: 4,
            pollInterval: 1000,
            // Bells come in bursts: fetched and completed in batches they cost a few statements, one by one three each.
            localQueue: { size: 50 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
            gracefulShutdownAbortTimeout: 5000,
          },
        },
      })
      ticker.start()
    },
    async stop() {
      await ticker.stop()
      await runner?.stop()
      runner = null
    },
  }
}

/** A bell's payload was written by interlock.ring(), but anybody may add a job to graphile-worker's tables. */
function routeOf(payload: unknown): string | null {
  const route = typeof payload === 'object' && payload !== null && 'route' in payload ? payload.route : null
  return typeof route === 'string' ? route : null
}

function graphileLogger(logger: Logger): GraphileLogger {
  return new GraphileLogger(({ label, taskIdentifier }) => (level, message) => {
    const fields = { from: 'graphile-worker', label, ...(taskIdentifier === undefined ? {} : { taskIdentifier }) }
    // Its own running to and fro is of interest to who debugs it only.
    if (level === 'error') logger.error(fields, message)
    else if (level === 'warning') logger.warn(fields, message)
    else logger.debug(fields, message)
  })
}

import type { TaskList } from 'graphile-worker'
import { AlarmWatch } from '../coordinator/alarm-watch.ts'
import { Dispatcher } from '../coordinator/dispatcher.ts'
import { defaultRetention, Pruner } from '../coordinator/pruner.ts'
import { Ticker } from '../coordinator/ticker.ts'
import type { WebhookOptions } from '../coordinator/webhook.ts'
import { isInterlockError } from '../domain/errors.ts'
import type { Logger } from '../observability/logger.ts'
import type { Database } from '../store/database.ts'
import type { Retention } from '../store/upkeep.ts'
import { Ringer } from './ringer.ts'

export interface CoordinatorOptions {
  readonly database: Database
  readonly logger: Logger
  readonly retention?: Retention
  /** Where alarms are sent to, beside the log; unless set, nowhere. */
  readonly webhook?: WebhookOptions | null
  /** How often all coordinators together look for alarms, and each for messages to send; 5 unless set. */
  readonly alarmIntervalSeconds?: number
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
  const alarms = new AlarmWatch({
    database,
    logger,
    webhook: options.webhook ?? null,
    ...(options.alarmIntervalSeconds === undefined ? {} : { intervalSeconds: options.alarmIntervalSeconds }),
  })
  const pruner = new Pruner(database, options.retention ?? defaultRetention, logger)

  const tasks: TaskList = {
    dispatch: async (payload) => {
      const route = routeOf(payload)
      if (route === null) return
      // The tick dispatches when the database is back; a bell that failed would only be one more thing to write to it.
      await dispatcher.dispatch(route).catch((error: unknown) => {
        if (!isInterlockError(error, 'unavailable')) throw error
      })
    },
    ensure_partitions: () => pruner.ensurePartitions(),
    prune_history: async (_payload, { abortSignal }) => void (await pruner.prune(abortSignal)),
  }

  const ringer = new Ringer({
    database,
    logger,
    tasks,
    crontab: [
      { task: 'ensure_partitions', match: '5 */6 * * *' },
      { task: 'prune_history', match: '17 * * * *' },
    ],
  })

  return {
    dispatcher,
    async start() {
      await ringer.migrate()
      // Not being able to, while somebody reads the log for long, is no reason not to start: rows have the DEFAULT partition.
      await pruner.ensurePartitions().catch((error: unknown) => {
        logger.warn({ err: error }, 'partitions not made now; the crontab tries again')
      })
      await ringer.start()
      ticker.start()
      alarms.start()
    },
    async stop() {
      await Promise.all([ticker.stop(), alarms.stop(), ringer.stop()])
    },
  }
}

/** A bell's payload was written by interlock.ring(), but anybody may add a job to graphile-worker's tables. */
function routeOf(payload: unknown): string | null {
  const route = typeof payload === 'object' && payload !== null && 'route' in payload ? payload.route : null
  return typeof route === 'string' ? route : null
}

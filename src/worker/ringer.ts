import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Logger as GraphileLogger,
  parseCronItems,
  type Runner,
  run,
  runMigrations,
  type TaskList,
  type WorkerEvents,
} from 'graphile-worker'
import type { Logger } from '../observability/logger.ts'
import { Database } from '../store/database.ts'
import { forgivingPool } from '../store/forgiving-pool.ts'

export interface RingerOptions {
  readonly database: Database
  readonly logger: Logger
  readonly tasks: TaskList
  readonly crontab: readonly { readonly task: string; readonly match: string }[]
}

/** One life of graphile-worker, on connections of its own. */
interface Life {
  readonly database: Database
  readonly runner: Runner
  /** Resolves when it stops, whoever wanted it. */
  readonly over: Promise<void>
}

/** To listen, to fetch, to complete, to keep time. */
const poolSize = 4
const partingMsMax = 5000
const againMsMin = 100
const againMsMax = 2000

/**
 * graphile-worker, kept running. It stops for good when the database goes away in the wrong moment (a batch of bells that
 * were answered cannot be completed), and then it may wait for ever for itself and keep the connection that it listened
 * on. So each of its lives has connections of its own, which end with it, and the next one begins at once: without one,
 * bells go unanswered and only the tick finds work.
 */
export class Ringer {
  readonly #options: RingerOptions
  readonly #log: GraphileLogger
  readonly #stopping = new AbortController()
  readonly #partings = new Set<Promise<void>>()
  #life: Life | null = null
  #keeping: Promise<void> | null = null

  constructor(options: RingerOptions) {
    this.#options = options
    this.#log = graphileLogger(options.logger)
  }

  /** Brings its tables up to date. */
  async migrate(): Promise<void> {
    await runMigrations({ pgPool: this.#options.database.pool, preset: { worker: { logger: this.#log } } })
  }

  async start(): Promise<void> {
    this.#life = await this.#begin()
    this.#keeping = this.#keep()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#keeping
    if (this.#life !== null) this.#part(this.#life)
    this.#life = null
    await Promise.all(this.#partings)
  }

  async #begin(): Promise<Life> {
    const { database: main, tasks, crontab } = this.#options
    const database = new Database({ url: main.url, applicationName: main.applicationName, poolSize })
    const events: WorkerEvents = new EventEmitter()
    const over = new Promise<void>((resolve) => {
      events.once('stop', () => resolve())
      events.once('pool:gracefulShutdown', () => resolve())
    })
    events.on('localQueue:init', ({ localQueue }) => lookAtPromises(localQueue))
    try {
      const runner = await run({
        pgPool: forgivingPool(database.pool),
        events,
        taskList: tasks,
        noHandleSignals: true,
        parsedCronItems: parseCronItems([...crontab]),
        preset: {
          worker: {
            logger: this.#log,
            concurrentJobs: 4,
            pollInterval: 1000,
            // Bells come in bursts: fetched and completed in batches they cost a few statements, one by one three each.
            localQueue: { size: 50 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
            gracefulShutdownAbortTimeout: partingMsMax,
          },
        },
      })
      return { database, runner, over }
    } catch (error) {
      database.abandon()
      void database.end()
      throw error
    }
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stopping
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    for (let waitMs = againMsMin; !signal.aborted; ) {
      if (this.#life !== null) {
        await Promise.race([this.#life.over, stopped])
        if (signal.aborted) return
        this.#options.logger.warn({}, 'graphile-worker stopped by itself; it is started again')
        this.#part(this.#life)
        this.#life = null
        waitMs = againMsMin
      }
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) this.#life = await this.#begin().catch(() => null)
      waitMs = Math.min(waitMs * 2, againMsMax)
    }
  }

  /** Gives it the time to give back what it has fetched; then its connections are closed, whatever it still waits for. */
  #part({ runner, database }: Life): void {
    const part = async () => {
      // Who stopped by itself refuses to be stopped; its end is all there is to wait for.
      const ended = runner.stop().catch(() => runner.promise.catch(() => undefined))
      await Promise.race([ended, sleep(partingMsMax, undefined, { ref: false })])
      database.abandon()
      // A connection that it never gives back would be waited for for ever.
      await Promise.race([database.end(), sleep(partingMsMax / 10, undefined, { ref: false })])
    }
    const parting: Promise<void> = part().finally(() => this.#partings.delete(parting))
    this.#partings.add(parting)
  }
}

/**
 * A local queue that stops while it has bells to give back forgets the promise of that: its background() throws before it
 * has looked at it. With the database away the promise is rejected, and a rejection that nobody looks at ends the process.
 * So each is looked at before; what it says is in the log in any case, and the bells come again.
 */
function lookAtPromises(localQueue: object): void {
  const queue = localQueue as { background?: (promise: Promise<unknown>) => void }
  const background = queue.background?.bind(localQueue)
  if (background === undefined) return
  queue.background = (promise) => {
    promise.catch(() => undefined)
    background(promise)
  }
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

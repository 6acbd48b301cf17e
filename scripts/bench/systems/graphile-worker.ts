import { Logger, type Runner, run, runMigrations } from 'graphile-worker'
import { Database } from '../../../src/store/database.ts'
import type { Queryable } from '../../../src/store/queryable.ts'
import { Ledger } from '../ledger.ts'
import type { Drained, DrainOptions, System } from '../system.ts'
import { type BenchJob, batchesOf } from '../workload.ts'

export interface GraphileWorkerSettings {
  readonly concurrentJobs: number
  readonly pollInterval?: number
  /** Jobs that it fetches at once and keeps; without it each is fetched by itself. */
  readonly localQueue?: number
  /** Completes in batches what ends within so many milliseconds. */
  readonly completeJobBatchDelay?: number
}

/**
 * As installed: a fetch and a completion for each job. More workers came to the same: each fetch locks every named queue
 * that is free, so only one of them finds any.
 */
export const graphileDefaults: GraphileWorkerSettings = { concurrentJobs: 1 }

/**
 * The best found for named queues, on two cores; 500 in the local queue, as its documentation measures, came to four
 * fifths of it. One pool: a fetch locks every named queue that is free, so a second pool's finds none. A short poll: a
 * fetch that came back less than full is repeated only after it.
 */
export const graphileTuned: GraphileWorkerSettings = {
  concurrentJobs: 24,
  localQueue: 2000,
  completeJobBatchDelay: 0,
  pollInterval: 5,
}

const silent = new Logger(() => () => undefined)

/** graphile-worker with named queues: one key a job, which is its user, or its model where there is one model for all. */
export class GraphileWorkerSystem implements System {
  readonly name: string
  readonly keys = 1
  readonly settings: Readonly<Record<string, number>>
  readonly database: Database
  readonly #settings: GraphileWorkerSettings
  readonly #keyOf: (job: BenchJob) => string

  private constructor(
    name: string,
    database: Database,
    settings: GraphileWorkerSettings,
    keyOf: (job: BenchJob) => string,
  ) {
    this.name = name
    this.database = database
    this.settings = { ...settings }
    this.#settings = settings
    this.#keyOf = keyOf
  }

  static async open(
    name: 'graphile-worker' | 'graphile-worker-tuned',
    url: string,
    keyOf: (job: BenchJob) => string = (job) => job.user,
    settings = name === 'graphile-worker' ? graphileDefaults : graphileTuned,
  ): Promise<GraphileWorkerSystem> {
    const database = new Database({ url, statementTimeoutSeconds: 0 })
    await runMigrations({ pgPool: database.pool, preset: { worker: { logger: silent } } })
    return new GraphileWorkerSystem(name, database, settings, keyOf)
  }

  async enqueue(jobs: readonly BenchJob[]): Promise<void> {
    for (const batch of batchesOf(jobs, 1000)) await this.put(batch, this.database)
  }

  async put(jobs: readonly BenchJob[], by: Queryable, priority = 0): Promise<void> {
    await by.query(
      `select count(*)
       from graphile_worker.add_jobs(array(
         select row('bench', j.payload, j.queue, null, 1, null, $2, null)::graphile_worker.job_spec
         from jsonb_to_recordset($1) as j (payload json, queue text)
       ))`,
      [JSON.stringify(jobs.map((job) => ({ payload: job, queue: this.#keyOf(job) }))), priority],
      'enqueue',
    )
  }

  // The queue is held as a worker holds it whose job never ends.
  async block(jobs: number, signal: AbortSignal): Promise<void> {
    const busy: BenchJob = { user: 'busy', models: [] }
    for (let from = 0; from < jobs; from += 5000) {
      signal.throwIfAborted()
      await this.put(Array(Math.min(5000, jobs - from)).fill(busy), this.database, -1)
    }
    await this.database.query(
      `update graphile_worker._private_job_queues set locked_by = 'holder', locked_at = now() where queue_name = $1`,
      [this.#keyOf(busy)],
    )
  }

  async drain(options: DrainOptions): Promise<Drained> {
    const { concurrentJobs, localQueue, ...others } = this.#settings
    const opened = Promise.withResolvers<Ledger>()
    const stopped = Promise.withResolvers<void>()
    const runner: Runner = await run({
      pgPool: this.database.pool,
      noHandleSignals: true,
      preset: {
        worker: {
          logger: silent,
          concurrentJobs,
          ...others,
          ...(localQueue === undefined ? {} : { localQueue: { size: localQueue } }),
        },
      },
      taskList: {
        bench: async (payload) => {
          const ledger = await opened.promise
          if (ledger.isOver) return stopped.promise
          await ledger.run([payload as BenchJob])
          ledger.completed(1)
        },
      },
    })
    // Its start-up is not counted.
    const ledger = new Ledger(options, (job) => [this.#keyOf(job)])
    opened.resolve(ledger)
    await ledger.over()
    stopped.resolve()
    await runner.stop()
    return ledger.close()
  }

  async clear(): Promise<void> {
    await this.database.query(`delete from graphile_worker._private_jobs where payload ->> 'user' <> 'busy'`)
    await this.database.query(`delete from graphile_worker._private_job_queues where queue_name <> 'busy'`)
  }

  close(): Promise<void> {
    return this.database.end()
  }
}

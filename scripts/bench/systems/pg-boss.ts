import { setTimeout as sleep } from 'node:timers/promises'
import { PgBoss } from 'pg-boss'
import { Database } from '../../../src/store/database.ts'
import type { Queryable } from '../../../src/store/queryable.ts'
import { Ledger } from '../ledger.ts'
import type { Drained, DrainOptions, System } from '../system.ts'
import { type BenchJob, batchesOf } from '../workload.ts'

export type PgBossWay = 'singleton' | 'group'

const queue = 'bench'

/**
 * pg-boss by its two ways of excluding by one key: the policy `singleton` (a unique index of the active ones), and
 * groups of at most one. Fetched and completed by hand in a closed loop, for its own workers wait between two fetches.
 */
export class PgBossSystem implements System {
  readonly name: string
  readonly keys = 1
  readonly settings: Readonly<Record<string, number | string>>
  readonly database: Database
  readonly #boss: PgBoss
  readonly #way: PgBossWay
  readonly #fetchers: number
  readonly #keyOf: (job: BenchJob) => string

  private constructor(
    boss: PgBoss,
    database: Database,
    way: PgBossWay,
    keyOf: (job: BenchJob) => string,
    fetchers: number,
  ) {
    this.name = `pg-boss-${way}`
    // Two lose whole batches to each other (of two that pick one key, the unique index lets one by), and their
    // completions deadlock.
    this.#fetchers = fetchers
    this.settings = { fetchers: this.#fetchers, partition: 'true' }
    this.database = database
    this.#boss = boss
    this.#way = way
    this.#keyOf = keyOf
  }

  static async open(
    way: PgBossWay,
    url: string,
    keyOf: (job: BenchJob) => string = (job) => job.user,
    fetchers = 1,
  ): Promise<PgBossSystem> {
    const database = new Database({ url, poolSize: 6, statementTimeoutSeconds: 0 })
    const boss = new PgBoss({ connectionString: url, max: 6, supervise: false, schedule: false })
    boss.on('error', () => undefined)
    await boss.start()
    await boss.createQueue(queue, { policy: way === 'singleton' ? 'singleton' : 'standard', partition: true })
    return new PgBossSystem(boss, database, way, keyOf, fetchers)
  }

  async enqueue(jobs: readonly BenchJob[]): Promise<void> {
    for (const batch of batchesOf(jobs, 1000)) await this.put(batch, this.database)
  }

  async put(jobs: readonly BenchJob[], by: Queryable): Promise<void> {
    const requests = jobs.map((job) => {
      const key = this.#keyOf(job)
      return { data: job, ...(this.#way === 'singleton' ? { singletonKey: key } : { group: { id: key } }) }
    })
    const executeSql = async (text: string, values?: unknown[]) => ({ rows: await by.query(text, values) })
    await this.#boss.insert(queue, requests, { db: { executeSql } })
  }

  async block(jobs: number, signal: AbortSignal): Promise<void> {
    const busy: BenchJob = { user: 'busy', models: [] }
    await this.enqueue([busy])
    if ((await this.#fetch(1)).length !== 1) throw new Error('the busy user does not hold anything')
    for (let from = 0; from < jobs; from += 5000) {
      signal.throwIfAborted()
      await this.put(Array(Math.min(5000, jobs - from)).fill(busy), this.database)
    }
  }

  async drain(options: DrainOptions): Promise<Drained> {
    const ledger = new Ledger(options, (job) => [this.#keyOf(job)])
    const fetcher = async (): Promise<void> => {
      while (!ledger.isOver) {
        const begin = performance.now()
        const jobs = await this.#fetch(options.batch)
        ledger.claimed(performance.now() - begin)
        if (jobs.length === 0) {
          await sleep(2)
          continue
        }
        await ledger.run(jobs.map((job) => job.data))
        await this.#boss.complete(
          queue,
          jobs.map((job) => job.id),
        )
        ledger.completed(jobs.length)
      }
    }
    await Promise.all(Array.from({ length: this.#fetchers }, fetcher))
    return ledger.close()
  }

  // The completed ones, which it keeps for seven days, included: as if they had been moved away meanwhile.
  async clear(): Promise<void> {
    await this.database.query(
      `delete from pgboss.job where name = $1 and coalesce(singleton_key, group_id) is distinct from 'busy'`,
      [queue],
    )
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false })
    await this.database.end()
  }

  #fetch(batchSize: number) {
    const groups = this.#way === 'group' ? { groupConcurrency: 1 } : {}
    return this.#boss.fetch<BenchJob>(queue, { batchSize, ...groups })
  }
}

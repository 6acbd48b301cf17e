import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../../src/store/database.ts'
import type { Queryable } from '../../../src/store/queryable.ts'
import { Ledger } from '../ledger.ts'
import type { Drained, DrainOptions, System } from '../system.ts'
import { type BenchJob, batchesOf } from '../workload.ts'

const schema = `
  create table job (
    id bigint generated always as identity primary key,
    status text not null default 'waiting',
    user_name text not null,
    models text[] not null,
    payload jsonb not null default '{}',
    created_at timestamptz not null default now(),
    started_at timestamptz
  ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
  create index job_waiting on job (id) where status = 'waiting'`

/**
 * The floor: what the least of a Postgres queue costs. SKIP LOCKED, no keys, no order but the id's, no log, no history,
 * no retries. It writes three rows a job: insert, update, delete.
 */
export class BareSystem implements System {
  readonly name = 'bare'
  readonly keys = 0
  readonly settings: Readonly<Record<string, number>>
  readonly database: Database
  readonly #claimers: number

  private constructor(database: Database, claimers: number) {
    this.database = database
    this.#claimers = claimers
    this.settings = { claimers }
  }

  static async open(url: string, claimers: number): Promise<BareSystem> {
    const database = new Database({ url, poolSize: claimers + 2, statementTimeoutSeconds: 0 })
    await database.query(schema)
    return new BareSystem(database, claimers)
  }

  async enqueue(jobs: readonly BenchJob[]): Promise<void> {
    for (const batch of batchesOf(jobs, 1000)) await this.put(batch, this.database)
  }

  async put(jobs: readonly BenchJob[], by: Queryable): Promise<void> {
    await by.query(
      `insert into job (user_name, models)
       select j.user, j.models from jsonb_to_recordset($1) as j ("user" text, models text[])`,
      [JSON.stringify(jobs)],
      'enqueue',
    )
  }

  async block(): Promise<void> {
    throw new Error('nothing is ever blocked in a queue without keys')
  }

  async drain(options: DrainOptions): Promise<Drained> {
    const ledger = new Ledger(options, () => [])
    let statements = 0
    const claimer = async (): Promise<void> => {
      while (!ledger.isOver) {
        const begin = performance.now()
        const jobs = await this.database.query<BenchJob & { readonly id: number }>(
          `with next as materialized (
             select id from job where status = 'waiting' order by id limit $1 for update skip locked
           )
           update job as j
           set status = 'running', started_at = now()
           from next as n
           where j.id = n.id
           returning j.id, j.user_name as user, j.models, j.payload`,
          [options.batch],
          'claim',
        )
        ledger.claimed(performance.now() - begin)
        statements += 2
        if (jobs.length === 0) {
          await sleep(2)
          continue
        }
        await ledger.run(jobs)
        await this.database.query('delete from job where id = any ($1)', [jobs.map((job) => job.id)], 'complete')
        ledger.completed(jobs.length)
      }
    }
    await Promise.all(Array.from({ length: this.#claimers }, claimer))
    return ledger.close({ statements })
  }

  async clear(): Promise<void> {
    await this.database.query('truncate job')
  }

  close(): Promise<void> {
    return this.database.end()
  }
}

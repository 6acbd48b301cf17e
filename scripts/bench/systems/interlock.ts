import { setTimeout as sleep } from 'node:timers/promises'
import { Contention } from '../../../src/domain/contention.ts'
import { Database } from '../../../src/store/database.ts'
import { migrate } from '../../../src/store/migrations.ts'
import type { Queryable } from '../../../src/store/queryable.ts'
import { collectIdle, fromTheStart } from '../../../src/store/upkeep.ts'
import { Ledger } from '../ledger.ts'
import type { Drained, DrainOptions, System } from '../system.ts'
import { type BenchJob, batchesOf } from '../workload.ts'
import { enqueueBlocked, enqueueForEachUser } from './interlock-backlog.ts'

export interface InterlockOptions {
  readonly claimers: number
  readonly scheduling?: 'fair' | 'fifo'
}

interface Claim {
  readonly jobs: readonly { readonly job_id: string; readonly token: number; readonly resources: readonly string[] }[]
  readonly contended: readonly string[]
  readonly more: boolean
}

/**
 * Interlock by its SQL verbs, as an agent calls them: absorb, claim, complete. Log and history are written, each job
 * excludes by its user and all its models.
 */
export class InterlockSystem implements System {
  readonly name = 'interlock'
  readonly keys = 'all'
  readonly database: Database
  readonly #options: InterlockOptions
  #idleAfter = fromTheStart
  /** Enqueued by enqueue() and not completed. */
  #left = 0

  constructor(database: Database, options: InterlockOptions) {
    this.database = database
    this.#options = options
  }

  static async open(url: string, options: InterlockOptions): Promise<InterlockSystem> {
    const database = new Database({ url, poolSize: options.claimers + 2, statementTimeoutSeconds: 0 })
    await migrate(database)
    const { scheduling } = options
    if (scheduling !== undefined) await database.query(`select interlock.set_queue('default', $1)`, [{ scheduling }])
    return new InterlockSystem(database, options)
  }

  get settings(): Readonly<Record<string, number | string>> {
    return { claimers: this.#options.claimers, scheduling: this.#options.scheduling ?? 'fair' }
  }

  async enqueue(jobs: readonly BenchJob[]): Promise<void> {
    for (const batch of batchesOf(jobs, 1000)) await this.put(batch, this.database)
    this.#left += jobs.length
  }

  async put(jobs: readonly BenchJob[], by: Queryable): Promise<void> {
    const requests = jobs.map(({ user, models }) => ({ task: 'bench', user, models, queue: 'default' }))
    await by.query('select count(*) from interlock.enqueue_jobs($1)', [JSON.stringify(requests)], 'enqueue')
  }

  block(jobs: number, signal: AbortSignal): Promise<void> {
    return enqueueBlocked(this.database, jobs, signal)
  }

  /** One waiting job of each of so many users, and their lanes. */
  fill(users: number, models: number, signal: AbortSignal): Promise<void> {
    return enqueueForEachUser(this.database, users, models, signal)
  }

  async drain(options: DrainOptions): Promise<Drained> {
    const ledger = new Ledger(options, ({ user, models }) => [user, ...models])
    let statements = 0
    const query = <Row extends object>(...call: Parameters<Database['query']>): Promise<Row[]> => {
      statements++
      return this.database.query<Row>(...call)
    }
    const claimer = async (number: number): Promise<void> => {
      const [agent] = await query<{ agent_id: string }>(
        `select agent_id from interlock.register_agent($1, '{default}', $2, p_lease_seconds => 3600)`,
        [`bench${number}`, options.batch],
      )
      if (agent === undefined) throw new Error('the agent was not registered')
      const contention = new Contention()
      let due: readonly string[] = []
      while (!ledger.isOver) {
        await query('select * from interlock.absorb_touches(1000)', [], 'absorb')
        const begin = performance.now()
        const [lone, ...later] = due
        due = later
        const [claim] =
          lone === undefined
            ? await query<Claim>(
                'select * from interlock.claim_jobs($1, null, $2)',
                [agent.agent_id, options.batch],
                'claim',
              )
            : await query<Claim>('select * from interlock.claim_lane($1, $2)', [agent.agent_id, lone])
        ledger.claimed(performance.now() - begin)
        if (claim === undefined) throw new Error('a claim returned nothing')
        if (lone === undefined) due = contention.note(claim.contended)
        if (claim.jobs.length === 0) {
          if (!claim.more) await sleep(2)
          continue
        }
        await ledger.run(claim.jobs.map(toBenchJob))
        const done = await query<{ accepted: boolean }>(
          'select * from interlock.complete_jobs($1, $2, null)',
          [claim.jobs.map((job) => job.job_id), claim.jobs.map((job) => job.token)],
          'complete',
        )
        if (!done.every((row) => row.accepted)) throw new Error('a completion was refused')
        this.#left -= claim.jobs.length
        ledger.completed(claim.jobs.length)
      }
    }
    await Promise.all(Array.from({ length: this.#options.claimers }, (_, number) => claimer(number)))
    return ledger.close({ statements })
  }

  // What the tick of a coordinator does in the course of time; and what a round that ran out of time left is finished, so
  // that the next one does not find its touches absorbed.
  async clear(signal: AbortSignal): Promise<void> {
    if (this.#left > 0 && !signal.aborted)
      await this.drain({ jobs: this.#left, batch: 50, deadlineSeconds: 60, signal })
    for (let stretch = 0; stretch < 20; stretch++) this.#idleAfter = await collectIdle(this.database, this.#idleAfter)
  }

  close(): Promise<void> {
    return this.database.end()
  }
}

function toBenchJob({ resources }: { readonly resources: readonly string[] }): BenchJob {
  const valuesOf = (kind: string) =>
    resources.filter((name) => name.startsWith(kind)).map((name) => name.slice(kind.length))
  return { user: valuesOf('user:')[0] ?? '', models: valuesOf('model:') }
}

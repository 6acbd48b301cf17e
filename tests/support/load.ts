import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../../src/domain/errors.ts'
import type { AgentId } from '../../src/domain/ids.ts'
import { absorbTouches, claimJobs, listAssignments } from '../../src/store/agents.ts'
import { createAttemptStore, type HeldJob } from '../../src/store/attempts.ts'
import { enqueueJobs } from '../../src/store/jobs.ts'
import type { Queryable } from '../../src/store/queryable.ts'
import { registerLeaseAgent } from './lease-agent.ts'
import { waitFor } from './wait-for.ts'

export interface LoadOptions {
  readonly database: Queryable
  readonly name?: string
  readonly enqueuers?: number
  readonly workers?: number
  /** Jobs of one enqueue, and of one claim at most. */
  readonly batch?: number
  /** Enqueuers wait while so many jobs are unfinished. */
  readonly backlogMax?: number
}

/**
 * Clients that enqueue and work off jobs as fast as they can, by the verbs, and remember what they were promised. What
 * the database refuses for its own sake is tried again; whatever else is thrown is kept as a failure.
 */
export class Load {
  /** The ids whose enqueueing was acknowledged. */
  readonly enqueued = new Set<string>()
  /** The ids whose completion was. */
  readonly completed = new Set<string>()
  readonly failures: unknown[] = []
  /** How often something was refused as unavailable. */
  refusals = 0
  readonly #options: Required<LoadOptions>
  readonly #done: { readonly atMs: number; readonly jobs: number }[] = []
  readonly #running: Promise<void>[]
  #enqueues = true
  #works = true
  #number = 0

  constructor(options: LoadOptions) {
    this.#options = { name: 'load', enqueuers: 1, workers: 2, batch: 20, backlogMax: 2000, ...options }
    const { enqueuers, workers } = this.#options
    this.#running = [
      ...Array.from({ length: enqueuers }, () => this.#enqueue()),
      ...Array.from({ length: workers }, (_, n) => this.#work(`${this.#options.name}-${n}`)),
    ]
  }

  /** Jobs a second in the window that ends now, or then. */
  throughput(windowMs: number, untilMs = performance.now()): number {
    const jobs = this.#done
      .filter(({ atMs }) => atMs > untilMs - windowMs && atMs <= untilMs)
      .reduce((sum, done) => sum + done.jobs, 0)
    return (jobs * 1000) / windowMs
  }

  /** Waits until so many more have been completed: it runs (again). */
  async flows(jobs = 100, timeoutMs = 15_000): Promise<void> {
    const wanted = this.completed.size + jobs
    await waitFor(() => this.completed.size >= wanted, { what: `${jobs} more jobs to be completed`, timeoutMs })
  }

  stopEnqueueing(): void {
    this.#enqueues = false
  }

  /** Enqueues no more, and works until nothing of what was promised is left. */
  async drain(timeoutMs = 20_000): Promise<void> {
    this.#enqueues = false
    await waitFor(
      async () => {
        const [row] = await this.#options.database.query<{ left: number }>(
          'select count(*)::int as left from interlock.jobs where starts_with(id, $1)',
          [`${this.#options.name}-`],
        )
        return row?.left === 0
      },
      { what: 'the backlog to be worked off', timeoutMs },
    )
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#enqueues = false
    this.#works = false
    await Promise.all(this.#running)
  }

  async #enqueue(): Promise<void> {
    const { database, name, batch, backlogMax } = this.#options
    while (this.#enqueues) {
      if (this.enqueued.size - this.completed.size > backlogMax) {
        await sleep(5)
        continue
      }
      const jobs = Array.from({ length: batch }, () => {
        this.#number += 1
        return { id: `${name}-${this.#number}`, task: 'load', user: `user-${this.#number % 500}` }
      })
      await this.#trying(async () => {
        for (const { id } of await enqueueJobs(database, jobs)) this.enqueued.add(id)
      })
    }
  }

  async #work(name: string): Promise<void> {
    const { database, batch } = this.#options
    const store = createAttemptStore(database)
    let agentId: AgentId | null = null
    let held: readonly HeldJob[] = []
    while (this.#works) {
      await this.#trying(async () => {
        agentId ??= await registerLeaseAgent(database, { name, slots: 1000 })
        // What a claim gave whose answer was lost is listed; what was held is told again.
        if (held.length === 0) held = await listAssignments(database, agentId)
        if (held.length === 0) {
          await absorbTouches(database)
          held = (await claimJobs(database, agentId, batch)).assignments
        }
        if (held.length === 0) return void (await sleep(5))
        await store.startJobs(held)
        const verdicts = await store.completeJobs(held.map(({ jobId, token }) => ({ jobId, token, result: null })))
        const accepted = verdicts.filter((verdict) => verdict.accepted)
        for (const { jobId } of accepted) this.completed.add(jobId)
        this.#done.push({ atMs: performance.now(), jobs: accepted.length })
        held = []
      })
    }
  }

  async #trying(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (isInterlockError(error, 'unavailable')) this.refusals += 1
      else if (this.failures.length < 20) this.failures.push(error)
      await sleep(20 + Math.random() * 80)
    }
  }
}

/** What of the promises a database does not keep: all empty where all is well. */
export async function brokenPromises(
  database: Queryable,
  load: Pick<Load, 'enqueued' | 'completed'>,
): Promise<{
  readonly lost: readonly string[]
  readonly undone: readonly string[]
  readonly twice: readonly string[]
}> {
  const ids = async (text: string, values: readonly unknown[] = []): Promise<readonly string[]> =>
    (await database.query<{ id: string }>(text, values)).map(({ id }) => id)
  return {
    lost: await ids(
      `select x.id from unnest($1::text[]) as x (id)
       where not exists (select from interlock.jobs as j where j.id = x.id)
         and not exists (select from interlock.task_history as t where t.job_id = x.id)`,
      [[...load.enqueued]],
    ),
    undone: await ids(
      `select x.id from unnest($1::text[]) as x (id)
       where not exists (select from interlock.task_history as t where t.job_id = x.id and t.outcome = 'completed')`,
      [[...load.completed]],
    ),
    twice: await ids(
      `select job_id as id from interlock.job_queue_log where event_type = 'completed' group by job_id having count(*) > 1`,
    ),
  }
}

export const nothingBroken = { lost: [], undone: [], twice: [] } as const

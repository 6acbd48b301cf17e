import { timelineOf } from '../support/job-facts.ts'
import { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from '../support/test-database.ts'

export interface Assigned {
  readonly job_id: string
  readonly token: number
  readonly attempt: number
  readonly resources: readonly string[]
  readonly fences: Readonly<Record<string, number>>
}

export interface ClaimAnswer {
  readonly jobs: readonly Assigned[]
  readonly contended: readonly string[]
  readonly more: boolean
}

/** The verbs as a test speaks them: one agent unless it says otherwise, and names of jobs of its own choice. */
export class EngineWorld {
  readonly test: TestDatabase
  agent = ''

  private constructor(test: TestDatabase) {
    this.test = test
  }

  static async create(options: TestDatabaseOptions = { clock: 'movable' }): Promise<EngineWorld> {
    return EngineWorld.over(await createTestDatabase(options))
  }

  /** In a database that is there already. */
  static async over(test: TestDatabase): Promise<EngineWorld> {
    const world = new EngineWorld(test)
    world.agent = await world.register('worker')
    return world
  }

  query<Row extends object = Record<string, unknown>>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.test.query<Row>(text, values)
  }

  async register(name: string, options: { slots?: number; queues?: readonly string[]; liveness?: string } = {}) {
    const [row] = await this.query<{ agent_id: string }>(
      `select agent_id from interlock.register_agent($1, $2, $3, p_lease_seconds => 3600, p_liveness => $4)`,
      [name, options.queues ?? ['high', 'default', 'low'], options.slots ?? 100, options.liveness ?? 'lease'],
    )
    return row?.agent_id ?? ''
  }

  /** Enqueues jobs of the task `work` in the queue default unless they say otherwise; returns their ids. */
  async enqueue(...jobs: readonly Record<string, unknown>[]): Promise<readonly string[]> {
    const rows = await this.query<{ job_id: string }>('select job_id from interlock.enqueue_jobs($1)', [
      JSON.stringify(jobs.map((job) => ({ task: 'work', queue: 'default', ...job }))),
    ])
    return rows.map((row) => row.job_id)
  }

  async absorb(): Promise<void> {
    for (;;) {
      const [row] = await this.query<{ left_over: number }>('select left_over from interlock.absorb_touches(1000)')
      if (row?.left_over === 0) return
    }
  }

  async claimOnce(limit = 100, agent = this.agent): Promise<ClaimAnswer> {
    const [row] = await this.query<ClaimAnswer>('select * from interlock.claim_jobs($1, null, $2)', [agent, limit])
    if (row === undefined) throw new Error('claim_jobs returned no row')
    return row
  }

  /** Absorbs, then claims until nothing more comes. */
  async claim(limit = 100, agent = this.agent): Promise<readonly Assigned[]> {
    await this.absorb()
    const jobs: Assigned[] = []
    for (let round = 0; round < 50; round++) {
      const answer = await this.claimOnce(limit - jobs.length, agent)
      jobs.push(...answer.jobs)
      if ((!answer.more && answer.jobs.length === 0) || jobs.length >= limit) return jobs
    }
    throw new Error('claim_jobs says more without end')
  }

  async claimedIds(limit = 100, agent = this.agent): Promise<readonly string[]> {
    return (await this.claim(limit, agent)).map((job) => job.job_id)
  }

  async complete(...jobs: readonly Assigned[]): Promise<void> {
    const rows = await this.query<{ accepted: boolean; reason: string | null }>(
      'select accepted, reason from interlock.complete_jobs($1, $2)',
      [jobs.map((job) => job.job_id), jobs.map((job) => job.token)],
    )
    for (const row of rows) if (!row.accepted) throw new Error(`refused: ${row.reason}`)
  }

  async start(job: Assigned): Promise<void> {
    await this.query('select interlock.start_jobs($1, $2)', [[job.job_id], [job.token]])
  }

  async fail(job: Assigned, retry: 'auto' | 'now' | 'never' = 'auto'): Promise<string> {
    const [row] = await this.query<{ status: string }>('select status from interlock.fail_job($1, $2, $3, $4)', [
      job.job_id,
      job.token,
      { message: 'boom' },
      retry,
    ])
    return row?.status ?? ''
  }

  /** What became of a job: its state while it lives, its outcome afterwards, null if it never was. */
  async status(jobId: string): Promise<string | null> {
    const [row] = await this.query<{ status: string | null }>(
      `select coalesce(
         (select status from interlock.jobs where id = $1),
         (select outcome from interlock.task_history where job_id = $1 order by finished_at desc limit 1)) as status`,
      [jobId],
    )
    return row?.status ?? null
  }

  /** The job's events, in order: `enqueued`, `assigned`, ... */
  timeline(jobId: string): Promise<readonly string[]> {
    return timelineOf(this.test.database, jobId)
  }

  /** What a call is refused with: its SQLSTATE, by the domain's code, and the field. */
  async refusal(text: string, values: readonly unknown[] = []): Promise<{ code: string; field: string | null }> {
    try {
      await this.query(text, values)
    } catch (error) {
      const { code, field } = error as { code: string; field: string | null }
      return { code, field }
    }
    throw new Error(`not refused: ${text}`)
  }

  async violations(): Promise<readonly string[]> {
    const rows = await this.query<{ violation: string }>('select violation from interlock.violations')
    return rows.map((row) => row.violation)
  }
}

import type { TestDatabase } from '../support/test-database.ts'

export interface Claimed {
  readonly job_id: string
  readonly token: number
}

/** An agent without processes: it calls the verbs as an agent in any language would. */
export class TestAgent {
  readonly #test: TestDatabase
  readonly id: string

  private constructor(test: TestDatabase, id: string) {
    this.#test = test
    this.id = id
  }

  static async register(
    test: TestDatabase,
    options: {
      readonly name?: string
      readonly slots?: number
      readonly queues?: readonly string[]
      readonly leaseSeconds?: number
    } = {},
  ): Promise<TestAgent> {
    const [row] = await test.query<{ readonly agent_id: string }>(
      `select agent_id from interlock.register_agent(p_name => $1, p_queues => $3, p_slots => $2,
        p_host => 'here', p_pid => 1, p_lease_seconds => $4)`,
      [
        options.name ?? 'tester',
        options.slots ?? 4,
        options.queues ?? ['high', 'default', 'low'],
        options.leaseSeconds ?? 600,
      ],
    )
    return new TestAgent(test, row?.agent_id ?? '')
  }

  /** Absorbs what is in the inbox, claims up to so many, and confirms their start. */
  async claim(limit = 1): Promise<readonly Claimed[]> {
    const jobs = await this.claimUnconfirmed(limit)
    await this.confirm(jobs)
    return jobs
  }

  async claimUnconfirmed(limit = 1): Promise<readonly Claimed[]> {
    await this.#test.query('select interlock.absorb_touches(1000)')
    const [row] = await this.#test.query<{ readonly jobs: readonly Claimed[] | null }>(
      'select jobs from interlock.claim_jobs($1, null, $2)',
      [this.id, limit],
    )
    return row?.jobs ?? []
  }

  /** What a coordinator has claimed for it. */
  async assigned(): Promise<readonly Claimed[]> {
    const [row] = await this.#test.query<{ readonly jobs: readonly Claimed[] }>(
      'select interlock.list_assignments($1) as jobs',
      [this.id],
    )
    return row?.jobs ?? []
  }

  async confirm(jobs: readonly Claimed[]): Promise<void> {
    await this.#test.query('select interlock.start_jobs($1::text[], $2::bigint[])', [
      jobs.map((job) => job.job_id),
      jobs.map((job) => job.token),
    ])
  }

  async claimOne(): Promise<Claimed> {
    const [job] = await this.claim(1)
    if (job === undefined) throw new Error('there was nothing to claim')
    return job
  }

  async complete(job: Claimed, result: unknown = null): Promise<void> {
    const [row] = await this.#test.query<{ readonly accepted: boolean; readonly reason: string | null }>(
      'select accepted, reason from interlock.complete_jobs($1::text[], $2::bigint[], array[$3::jsonb])',
      [[job.job_id], [job.token], JSON.stringify(result)],
    )
    if (row?.accepted !== true) throw new Error(`${job.job_id} was not completed: ${row?.reason}`)
  }

  async fail(job: Claimed, message: string, retry: 'auto' | 'now' | 'never' = 'never'): Promise<void> {
    await this.#test.query('select interlock.fail_job($1, $2, $3, $4)', [job.job_id, job.token, { message }, retry])
  }

  async write(job: Claimed, stream: 'stdout' | 'stderr', lines: string): Promise<void> {
    await this.#test.query('select interlock.append_output($1, $2, $3::jsonb)', [
      job.job_id,
      job.token,
      JSON.stringify([{ stream, lines }]),
    ])
  }

  async report(job: Claimed, percent: number, description: string): Promise<void> {
    await this.#test.query('select interlock.report_progress($1, $2, $3, $4)', [
      job.job_id,
      job.token,
      percent,
      description,
    ])
  }
}

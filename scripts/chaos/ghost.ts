import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/store/database.ts'
import type { History } from './history.ts'

const betweenMs = 150

/** The writes of a holder, with the job and the token of its claim. Each says whether it was taken. */
const writes = {
  complete: `select c.accepted from interlock.complete_jobs(array[$1], array[$2::bigint]) as c`,
  return: `select r.accepted from interlock.return_jobs(array[$1], array[$2::bigint], 'a ghost') as r`,
  fail: `select true as accepted from interlock.fail_job($1, $2, '{"message": "a ghost"}')`,
  progress: `select true as accepted from interlock.report_progress($1, $2, 50)`,
} as const

/**
 * A holder that does not know that it lost its claim. Agents know it nearly always, and write nothing then; somebody
 * else's agent, in another language, may not. For jobs that were taken back and run again, it says what the former
 * holder would say.
 */
export class Ghost {
  readonly #database: Database
  readonly #history: History
  readonly #stopping = new AbortController()
  #running: Promise<void> | null = null

  constructor(url: string, history: History) {
    this.#database = new Database({ url, poolSize: 1, applicationName: 'ghost' })
    this.#history = history
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    await this.#database.end()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    for (let n = 0; !signal.aborted; n += 1) {
      await this.#haunt(n).catch(() => undefined)
      await sleep(betweenMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #haunt(n: number): Promise<void> {
    const former = await this.#database.query<{ job_id: string; token: number }>(
      `select l.job_id, max(l.token) as token
       from interlock.jobs as j
       join interlock.job_queue_log as l on l.job_id = j.id
       where j.held is not null and l.token < j.token
       group by l.job_id
       order by max(l.id) desc
       limit 4`,
    )
    for (const [m, { job_id: jobId, token }] of former.entries()) {
      const names = Object.keys(writes) as (keyof typeof writes)[]
      const write = names[(n + m) % names.length] ?? 'complete'
      const answer = await this.#database.query<{ accepted: boolean }>(writes[write], [jobId, token]).then(
        ([row]) => (row?.accepted === true ? ('accepted' as const) : ('refused' as const)),
        (error: { code?: string }) => (error.code === 'stale_token' ? ('refused' as const) : ('unknown' as const)),
      )
      this.#history.note({ kind: 'late', write, jobId, token, answer })
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/store/database.ts'
import type { History } from './history.ts'

const betweenMs = 80

/**
 * Looks at interlock.violations all the time: what a later event, or the tick, puts right again is gone at rest. A look
 * that could not be made (the server is away, the connection was ended) is no look.
 */
export class Auditor {
  readonly #database: Database
  readonly #history: History
  readonly #stopping = new AbortController()
  #looks = 0
  #running: Promise<void> | null = null

  constructor(url: string, history: History) {
    this.#database = new Database({ url, poolSize: 1, applicationName: 'auditor' })
    this.#history = history
  }

  get looks(): number {
    return this.#looks
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
    while (!signal.aborted) {
      await this.#look().catch(() => undefined)
      await sleep(betweenMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #look(): Promise<void> {
    const found = await this.#database.query<{ what: string }>(
      `select distinct concat_ws(' ', v.violation || ':', v.resource, v.job_id, v.lane_id,
         case when coalesce(v.resource, v.job_id, v.lane_id::text) is null then v.detail end) as what
       from interlock.violations as v`,
    )
    this.#looks += 1
    if (found.length === 0) return
    const violations = found.map(({ what }) => what)
    this.#history.note({ kind: 'looked', look: this.#looks, violations })
  }
}

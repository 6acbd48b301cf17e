import { monitorEventLoopDelay } from 'node:perf_hooks'
import { z } from 'zod'
import type { Database } from '../store/database.ts'
import type { JobFeed } from '../store/job-feed.ts'
import { withDeadline } from './deadline.ts'

/** One thing that has to be so before this process should be sent any work. */
export interface ReadinessCheck {
  readonly name: string
  /** Null: it is so. Else why it is not, for a person. A throw counts as a reason. */
  readonly check: () => Promise<string | null> | string | null
}

export const readiness = z
  .object({
    is_ready: z.boolean(),
    checks: z
      .array(z.object({ name: z.string(), is_ok: z.boolean(), reason: z.string().nullable() }).readonly())
      .readonly(),
  })
  .readonly()
  .meta({ id: 'Readiness' })
export type Readiness = z.output<typeof readiness>

/** An orchestrator asks every few seconds and waits as long: what does not answer in this time is not ready. */
const checkSeconds = 2

export async function askReadiness(checks: readonly ReadinessCheck[]): Promise<Readiness> {
  const answers = await Promise.all(
    checks.map(async ({ name, check }) => {
      const reason = await withDeadline(Promise.resolve().then(check), checkSeconds).catch((error: unknown) =>
        error instanceof Error ? error.message : String(error),
      )
      return { name, is_ok: reason === null, reason }
    }),
  )
  return { is_ready: answers.every(({ is_ok }) => is_ok), checks: answers }
}

/**
 * It answers, takes writes, and has our schema. A standby answers too, and could serve nobody. Said as the error that a
 * write would meet, so that the connection is dropped like any other that met it: it would say the same for ever.
 */
export function databaseCheck(database: Database): ReadinessCheck {
  return {
    name: 'database',
    async check() {
      await database.query(`
        do $$
        begin
          if pg_catalog.pg_is_in_recovery() then
            raise exception using errcode = '25006', message = 'the server is a standby';
          elsif pg_catalog.current_setting('transaction_read_only') = 'on' then
            raise exception using errcode = '25006', message = 'the server is read-only';
          end if;
        end
        $$`)
      return null
    },
  }
}

export function schemaCheck(database: Database): ReadinessCheck {
  return {
    name: 'schema',
    async check() {
      const [row] = await database.query<{ readonly is_there: boolean }>(
        `select to_regclass('interlock.jobs') is not null
          and to_regprocedure('interlock.enqueue_jobs(jsonb, text)') is not null as is_there`,
      )
      return row?.is_there === true ? null : 'the schema is not there: run `interlock migrate up`'
    },
  }
}

export function listenCheck(feed: JobFeed): ReadinessCheck {
  return { name: 'listen', check: () => (feed.isListening ? null : 'the connection that listens is lost') }
}

const windowSeconds = 10
const longestStallMs = 5000

/** Whether the event loop has stalled lately: heartbeats of this process came late by as much. */
export class EventLoopWatch {
  readonly #histogram = monitorEventLoopDelay({ resolution: 20 })
  #timer: NodeJS.Timeout | null = null
  #worstMs = 0

  start(): void {
    this.#histogram.enable()
    this.#timer = setInterval(() => {
      this.#worstMs = this.#histogram.max / 1e6
      this.#histogram.reset()
    }, windowSeconds * 1000).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#histogram.disable()
  }

  /** The longest delay of the last ten to twenty seconds. */
  get worstDelayMs(): number {
    return Math.round(Math.max(this.#worstMs, this.#histogram.max / 1e6))
  }

  readonly readiness: ReadinessCheck = {
    name: 'event_loop',
    check: () => (this.worstDelayMs < longestStallMs ? null : `the event loop stalled for ${this.worstDelayMs} ms`),
  }
}

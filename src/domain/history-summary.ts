import { z } from 'zod'
import { ContractError, checkContract } from './contract.ts'

/** What a summary of the history may be by. */
export const summaryKeys = ['task', 'user', 'model', 'agent', 'queue', 'project', 'hour', 'day'] as const
export const maxSummaryRows = 1000
const maxDays = 366

const time = z.iso.datetime({
  offset: true,
  error: 'must be an ISO 8601 time with its offset, as 2027-01-31T12:00:00Z',
})
const name = z.string({ error: 'must be given once' }).min(1).max(200).optional()

const written = z.strictObject({
  by: z.enum(summaryKeys),
  since: time.optional(),
  until: time.optional(),
  queue: name,
  task: name,
  user: name,
  project: name,
  limit: z.int().min(1).max(maxSummaryRows).default(100),
})

/** Of which range, by what, narrowed to what. Unless they are named it is the last day. */
export type HistoryQuestion = z.output<typeof written>

/** Checks a question about the history. Throws a ContractError that names every field that is wrong. */
export function checkHistoryQuestion(question: unknown): HistoryQuestion {
  const asked = checkContract(written, question)
  const { since, until } = asked
  if (since === undefined || until === undefined) return asked
  const days = (Date.parse(until) - Date.parse(since)) / 86_400_000
  if (days <= 0) throw new ContractError([{ field: 'since', message: 'must be before until' }])
  if (days > maxDays) {
    throw new ContractError([{ field: 'since', message: `must be at most ${maxDays} days before until` }])
  }
  return asked
}

/** What ended, of one task, user, model, hour … Times are null where nothing was started. */
export interface HistoryRow {
  /** Null: of no user, model, agent or project. */
  readonly key: string | null
  readonly ended: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly expired: number
  readonly deleted: number
  readonly completed_per_hour: number
  readonly avg_wait_seconds: number | null
  readonly p50_wait_seconds: number | null
  readonly p95_wait_seconds: number | null
  readonly max_wait_seconds: number | null
  readonly avg_run_seconds: number | null
  readonly p50_run_seconds: number | null
  readonly p95_run_seconds: number | null
  readonly max_run_seconds: number | null
  readonly total_run_seconds: number
  readonly avg_attempts: number
}

export interface HistorySummary {
  readonly by: HistoryQuestion['by']
  readonly since: string
  readonly until: string
  readonly rows: readonly HistoryRow[]
  /** There are more keys than were asked for. */
  readonly is_truncated: boolean
}

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

/** What a summary is asked for with, at every door. */
export const historyFields = {
  by: z.enum(summaryKeys),
  since: time.optional().describe('A day before until, unless set.'),
  until: time.optional().describe('Now, unless set.'),
  queue: name,
  task: name,
  user: name,
  project: name,
  limit: z.int().min(1).max(maxSummaryRows).default(100),
} as const

const written = z.strictObject(historyFields)

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

const secondsOrNone = z.number().nullable()

/** What ended, of one task, user, model, hour … Times are null where nothing was started. */
const historyRow = z
  .object({
    key: z.string().nullable().describe('Null: of no user, model, agent or project.'),
    ended: z.int(),
    completed: z.int(),
    failed: z.int(),
    cancelled: z.int(),
    expired: z.int(),
    deleted: z.int(),
    completed_per_hour: z.number(),
    avg_wait_seconds: secondsOrNone,
    p50_wait_seconds: secondsOrNone,
    p95_wait_seconds: secondsOrNone,
    max_wait_seconds: secondsOrNone,
    avg_run_seconds: secondsOrNone,
    p50_run_seconds: secondsOrNone,
    p95_run_seconds: secondsOrNone,
    max_run_seconds: secondsOrNone,
    total_run_seconds: z.number(),
    avg_attempts: z.number(),
  })
  .readonly()
  .meta({ id: 'HistoryRow' })
export type HistoryRow = z.output<typeof historyRow>

export const historySummary = z
  .object({
    by: z.enum(summaryKeys),
    since: z.iso.datetime(),
    until: z.iso.datetime(),
    rows: z.array(historyRow).readonly(),
    is_truncated: z.boolean().describe('There are more keys than were asked for.'),
  })
  .readonly()
  .meta({ id: 'HistorySummary' })
export type HistorySummary = z.output<typeof historySummary>

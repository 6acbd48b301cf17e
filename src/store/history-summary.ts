import type { HistoryQuestion, HistoryRow, HistorySummary } from '../domain/history-summary.ts'
import type { Queryable } from './queryable.ts'

const daySeconds = 86_400

/** Throughput, waits, durations and failures of what ended within a range. Throws invalid_argument. */
export async function readHistorySummary(queryable: Queryable, question: HistoryQuestion): Promise<HistorySummary> {
  const { by, queue, task, user, project, limit } = question
  // The range is fixed before it is read, so that the answer can say what it is about.
  const [range] = await queryable.query<{ readonly since: Date; readonly until: Date }>(
    `select coalesce($1::timestamptz, u.until - make_interval(secs => $3)) as since, u.until
     from (select coalesce($2::timestamptz, interlock.clock()) as until) as u`,
    [question.since ?? null, question.until ?? null, daySeconds],
  )
  if (range === undefined) throw new TypeError('a select without a table answered without a row')
  const rows = await queryable.query<HistoryRow>(
    'select s.* from interlock.history_summary($1, $2, $3, $4, $5, $6, $7, $8) as s',
    [by, range.since, range.until, queue ?? null, task ?? null, user ?? null, project ?? null, limit + 1],
  )
  return {
    by,
    since: range.since.toISOString(),
    until: range.until.toISOString(),
    rows: rows.slice(0, limit),
    is_truncated: rows.length > limit,
  }
}

import type { BulkAnswer, BulkChange, JobSelection } from '../domain/job-filter.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'

export interface BulkOptions extends Motive {
  readonly dryRun: boolean
  /** From 0 (critical) to 3 (low), with the change of priority. */
  readonly priority?: number | undefined
  /** next_cursor of the call before. */
  readonly cursor?: string | undefined
  /** Not to go on for longer; 4 s unless set, so that whoever waits for an answer has one. */
  readonly withinMs?: number
  readonly signal?: AbortSignal
}

interface Piece {
  readonly changed: number
  readonly asked: number
  readonly busy: number
  readonly examples: readonly string[]
  readonly next_after: string | null
}

/** How often what was busy is looked for once more: who holds it is done in milliseconds, or not at all. */
const passes = 3

/**
 * Changes the jobs that a selection names, piece by piece, each a transaction of its own, until all were looked at or the
 * time is over; what is left is next_cursor's. Throws invalid_argument, queue_not_found; what was changed before stays so.
 */
export async function changeJobs(
  queryable: Queryable,
  change: BulkChange,
  selection: JobSelection,
  options: BulkOptions,
): Promise<BulkAnswer> {
  const { dryRun, cursor, withinMs = 4000, signal } = options
  const deadlineMs = performance.now() + withinMs
  const sum = { changed: 0, asked_to_stop: 0, busy: 0 }
  const examples: string[] = []
  let after: string | null = cursor ?? ''
  for (let pass = 1; after !== null; ) {
    const piece: Piece = await retryTransient(() => changePiece(queryable, change, selection, options, after ?? ''))
    sum.changed += piece.changed
    sum.asked_to_stop += piece.asked
    sum.busy += piece.busy
    examples.push(...piece.examples.slice(0, 10 - examples.length))
    after = piece.next_after
    if (performance.now() > deadlineMs || signal?.aborted === true) break
    if (after === null && sum.busy > 0 && pass < passes) {
      pass += 1
      sum.busy = 0
      after = ''
    }
  }
  return { dry_run: dryRun, ...sum, examples, next_cursor: after }
}

async function changePiece(
  queryable: Queryable,
  change: BulkChange,
  selection: JobSelection,
  { dryRun, priority, reason, actor }: BulkOptions,
  after: string,
): Promise<Piece> {
  const [row] = await queryable.query<Piece>(
    `select changed, asked, busy, examples, next_after
     from interlock.change_jobs(p_change => $1, p_filter => $2::jsonb, p_dry_run => $3, p_after => $4, p_priority => $5,
       p_reason => $6, p_actor => $7)`,
    [change, JSON.stringify(selection), dryRun, after, priority ?? null, reason ?? null, actor ?? null],
    'change_jobs',
  )
  if (row === undefined) throw new TypeError('change_jobs answered without a row')
  return row
}

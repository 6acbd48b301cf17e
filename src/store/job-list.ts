import { sql } from 'kysely'
import { InterlockError } from '../domain/errors.ts'
import { asJobId } from '../domain/ids.ts'
import { type Job, type JobStatus, liveStatuses, outcomes } from '../domain/job.ts'
import type { JobFilter } from '../domain/job-filter.ts'
import { finishedColumns, type JobRow, liveColumns, toJob } from './job-row.ts'
import { all, type Condition, runBuilt } from './query-builder.ts'
import type { Queryable } from './queryable.ts'

export interface JobsWanted extends JobFilter {
  readonly statuses?: readonly JobStatus[] | undefined
}

export interface JobPage {
  /** Without payloads and results, which may be megabytes. */
  readonly jobs: readonly Job[]
  /** Where the next page starts; null: this was the last one. Opaque. */
  readonly nextCursor: string | null
}

/** The live jobs come first, by id; then what has ended, the latest first. */
type Cursor = { readonly live: string } | { readonly finished: readonly [finishedAt: string, id: string] | null }

/**
 * A page of jobs. A job that ends while somebody reads page after page may come a second time, as finished; none that
 * was there all the time is left out. Throws invalid_argument for a cursor that is not one of ours.
 */
export async function listJobs(
  queryable: Queryable,
  filter: JobsWanted,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<JobPage> {
  const start: Cursor = page.cursor === undefined ? { live: '' } : decodeCursor(page.cursor)
  const wanted = filter.statuses ?? [...liveStatuses, ...outcomes]
  const live = wanted.filter((status) => (liveStatuses as readonly string[]).includes(status))
  const ended = wanted.filter((status) => (outcomes as readonly string[]).includes(status))
  // One more than asked for tells whether there is a next page.
  const most = page.limit + 1

  const rows: ListRow[] = []
  if ('live' in start && live.length > 0)
    rows.push(...(await readLive(queryable, { ...filter, statuses: live }, start.live, most)))
  if (rows.length < most && ended.length > 0) {
    const after = 'finished' in start ? start.finished : null
    rows.push(...(await readFinished(queryable, { ...filter, statuses: ended }, after, most - rows.length)))
  }
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return {
    jobs: shown.map((row) => toJob(row, toWaiting(row))),
    nextCursor: rows.length > page.limit && last !== undefined ? encodeCursor(cursorAfter(last)) : null,
  }
}

interface ListRow extends JobRow {
  readonly blocked_by_job_id: string | null
  readonly conflict_reason: string | null
  /** With microseconds, which a Date has not: a cursor that rounds skips or repeats. Null: a live job. */
  readonly finished_key: string | null
}

/**
 * What is few is found by its own index, whatever the planner believes about the share of jobs that wait: behind a
 * hundred thousand of them, the primary key read backwards takes 50 ms to find those that run.
 */
function narrow(statuses: readonly JobStatus[]): Condition {
  const among = (few: readonly JobStatus[]) => statuses.every((status) => few.includes(status))
  if (among(['assigned', 'running'])) return sql`j.held is not null`
  if (among(['failed'])) return sql`j.status = 'failed'`
  if (among(['scheduled'])) return sql`j.status = 'scheduled'`
  return null
}

/** The filters that both tables know, as conditions on the alias j. */
function restrictions(filter: JobsWanted): readonly Condition[] {
  const { user, project, task, queue, model, agent, older_than_seconds: older, newer_than_seconds: newer } = filter
  const since = sql`coalesce(j.finished_at, j.created_at)`
  return [
    older === undefined ? null : sql`${since} <= interlock.clock() - ${older}::double precision * interval '1 second'`,
    newer === undefined ? null : sql`${since} >= interlock.clock() - ${newer}::double precision * interval '1 second'`,
    user === undefined ? null : sql`j.user_name = ${user}`,
    project === undefined ? null : sql`j.project = ${project}`,
    task === undefined ? null : sql`j.task = ${task}`,
    queue === undefined ? null : sql`j.queue = ${queue}`,
    model === undefined ? null : sql`j.resources @> array['model:' || ${model}::text]`,
    agent === undefined ? null : sql`(j.agent_id = ${agent} or starts_with(j.agent_id, ${agent}::text || '.'))`,
  ]
}

const searchedLive = sql`concat_ws(' ', j.id, j.task, j.user_name, j.project, j.error ->> 'message', j.payload::text)`
const searchedFinished = sql`concat_ws(' ', j.job_id, j.task, j.user_name, j.project, j.reason)`

function mentions(words: typeof searchedLive, text: string | undefined): Condition {
  return text === undefined ? null : sql`strpos(lower(${words}), lower(${text})) > 0`
}

function readLive(queryable: Queryable, filter: JobsWanted, before: string, limit: number): Promise<ListRow[]> {
  const statuses = filter.statuses ?? []
  const conditions = all([
    narrow(statuses),
    sql`j.status = any (${statuses}::text[])`,
    before === '' ? null : sql`j.id < ${before} collate "C"`,
    ...restrictions(filter),
    mentions(searchedLive, filter.text),
  ])
  return runBuilt<ListRow>(
    queryable,
    sql`with page as materialized (
      select ${sql.raw(liveColumns)}
      from interlock.jobs as j
      where ${conditions}
      order by j.id desc
      limit ${limit}
    )
    select p.*, w.blocked_by_job_id, w.conflict_reason, null::jsonb as payload, null::jsonb as result, null::text as finished_key
    from page as p
    left join interlock.waiting_jobs as w on w.job_id = p.id
    order by p.id desc`,
  )
}

function readFinished(
  queryable: Queryable,
  filter: JobsWanted,
  before: readonly [finishedAt: string, id: string] | null,
  limit: number,
): Promise<ListRow[]> {
  const conditions = all([
    sql`j.outcome = any (${filter.statuses ?? []}::text[])`,
    before === null ? null : sql`(j.finished_at, j.job_id) < (${before[0]}::timestamptz, ${before[1]} collate "C")`,
    ...restrictions(filter),
    mentions(searchedFinished, filter.text),
    // A dead letter is in both tables, and a job that was requeued ended more than once: each is shown as it is now.
    sql`not exists (select from interlock.jobs as l where l.id = j.job_id)`,
    sql`not exists (select from interlock.task_history as l where l.job_id = j.job_id and l.finished_at > j.finished_at)`,
  ])
  return runBuilt<ListRow>(
    queryable,
    sql`with h as materialized (
      select j.*
      from interlock.task_history as j
      where ${conditions}
      order by j.finished_at desc, j.job_id desc
      limit ${limit}
    )
    select ${sql.raw(finishedColumns)}, null::text as blocked_by_job_id, null::text as conflict_reason,
      null::jsonb as payload, null::jsonb as result, h.finished_at::text as finished_key
    from h
    left join interlock.job_results as r
      on r.job_id = h.job_id
      and r.finished_at = h.finished_at
    order by h.finished_at desc, h.job_id desc`,
  )
}

function toWaiting(row: ListRow): Job['waiting'] {
  if (row.status !== 'pending') return null
  return {
    position: null,
    blockedByJobId: row.blocked_by_job_id === null ? null : asJobId(row.blocked_by_job_id),
    reason: row.conflict_reason,
  }
}

function cursorAfter(row: ListRow): Cursor {
  return row.finished_key === null ? { live: row.id } : { finished: [row.finished_key, row.id] }
}

function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function decodeCursor(text: string): Cursor {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    if (isCursor(cursor)) return cursor
  } catch {
    // No JSON: refused below, like any other text.
  }
  throw new InterlockError('invalid_argument', 'cursor is not one that a list has given', {
    field: 'cursor',
    hint: 'Pass on next_cursor of the page before, as it is.',
  })
}

function isCursor(cursor: unknown): cursor is Cursor {
  if (typeof cursor !== 'object' || cursor === null) return false
  if ('live' in cursor) return typeof cursor.live === 'string'
  if (!('finished' in cursor) || !Array.isArray(cursor.finished)) return false
  const [finishedAt, id] = cursor.finished as readonly unknown[]
  return typeof id === 'string' && typeof finishedAt === 'string' && /^[0-9 :.+-]{10,40}$/.test(finishedAt)
}

import { asJobId, type JobId } from '../domain/ids.ts'
import type { JobStatus, LiveStatus } from '../domain/job.ts'
import type { JobRequest } from '../domain/job-request.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'

/** Who asks, for the log, and why. */
export interface Motive {
  readonly actor?: string | null | undefined
  readonly reason?: string | null | undefined
}

export interface EnqueuedJob {
  readonly id: JobId
  readonly status: LiveStatus
  /** Nothing was enqueued: this is the unfinished job that has the unique_key. */
  readonly isDuplicate: boolean
}

/**
 * Enqueues the jobs, all or none, inside the caller's transaction if it is given one; answers in the order given.
 * Throws invalid_argument, unknown_task, queue_not_found, idempotency_conflict, queue_full, with the field at fault.
 */
export async function enqueueJobs(
  queryable: Queryable,
  requests: readonly JobRequest[],
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<readonly EnqueuedJob[]> {
  const rows = await queryable.query<{
    readonly job_id: string
    readonly status: LiveStatus
    readonly is_duplicate: boolean
  }>(
    'select e.job_id, e.status, e.is_duplicate from interlock.enqueue_jobs($1::jsonb, $2::text) as e order by e.ordinal',
    [JSON.stringify(requests), actor ?? null],
  )
  return rows.map((row) => ({ id: asJobId(row.job_id), status: row.status, isDuplicate: row.is_duplicate }))
}

export interface EnqueuedOnce {
  readonly jobs: readonly (Omit<EnqueuedJob, 'status'> & { readonly status: JobStatus })[]
  /** They had been enqueued before, under the same key. */
  readonly isRepeated: boolean
}

/**
 * The same, once for a key of the caller's: asked again, it answers with the same jobs and what they are by now. Throws
 * idempotency_conflict where the key was used for others.
 */
export async function enqueueOnce(
  queryable: Queryable,
  key: string,
  requests: readonly JobRequest[],
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<EnqueuedOnce> {
  const rows = await queryable.query<{
    readonly job_id: string
    readonly status: JobStatus
    readonly repeated: boolean
    readonly is_duplicate: boolean
  }>(
    `select e.job_id, e.status, e.repeated, e.is_duplicate
     from interlock.enqueue_once($1, $2::jsonb, $3::text) as e
     order by e.ordinal`,
    [key, JSON.stringify(requests), actor ?? null],
  )
  return {
    jobs: rows.map((row) => ({ id: asJobId(row.job_id), status: row.status, isDuplicate: row.is_duplicate })),
    isRepeated: rows.some(({ repeated }) => repeated),
  }
}

/** Cancels what waits; what runs is asked to stop (`cancelling`). Throws job_not_found, illegal_transition. */
export function cancelJob(queryable: Queryable, id: JobId, motive: Motive = {}): Promise<'cancelled' | 'cancelling'> {
  return callVerb(queryable, 'select v.status from interlock.cancel_job($1, $2, $3) as v', id, motive)
}

/** Sends a dead letter, or what waits for its time, to wait for its turn. Throws job_not_found, illegal_transition. */
export function requeueJob(queryable: Queryable, id: JobId, motive: Motive = {}): Promise<LiveStatus> {
  return callVerb(queryable, 'select v.status from interlock.requeue_job($1, $2, $3) as v', id, motive)
}

/** Deletes what waits or has failed; its history stays. Throws job_not_found, illegal_transition (what runs). */
export function deleteJob(queryable: Queryable, id: JobId, motive: Motive = {}): Promise<'deleted'> {
  return callVerb(queryable, 'select v.status from interlock.delete_job($1, $2, $3) as v', id, motive)
}

/** Lets a job that was added without starting wait for its turn. Throws job_not_found, illegal_transition. */
export async function startPausedJob(
  queryable: Queryable,
  id: JobId,
  { actor, reason }: Motive = {},
): Promise<LiveStatus> {
  const rows = await queryable.query<{ readonly status: LiveStatus }>(
    'select v.status from interlock.start_paused_job($1, $2, $3) as v',
    [id, actor ?? null, reason ?? null],
  )
  return onlyStatus(rows)
}

/** Lets a human_required job wait for its turn. Throws job_not_found, illegal_transition (it waits for no approval). */
export function approveJob(queryable: Queryable, id: JobId, motive: Motive = {}): Promise<LiveStatus> {
  return callVerb(queryable, 'select v.status from interlock.approve_job($1, $2, $3) as v', id, motive)
}

/** Cancels a human_required job instead. Throws job_not_found, illegal_transition (it waits for no approval). */
export function rejectJob(queryable: Queryable, id: JobId, motive: Motive = {}): Promise<'cancelled'> {
  return callVerb(queryable, 'select v.status from interlock.reject_job($1, $2, $3) as v', id, motive)
}

/**
 * Takes from a job or a lock all that it holds; what runs is asked to stop first (`cancelling`). Throws job_not_found,
 * illegal_transition, not_held.
 */
export function releaseJob(queryable: Queryable, id: JobId, motive: Motive = {}): Promise<string> {
  return retryTransient(() =>
    callVerb(queryable, 'select v.status from interlock.release_job($1, $2, $3) as v', id, motive),
  )
}

/** Changes a job's head start, from 0 (critical) to 3 (low). Throws job_not_found, illegal_transition, invalid_argument. */
export async function setPriority(
  queryable: Queryable,
  id: JobId,
  priority: number,
  { actor, reason }: Motive = {},
): Promise<void> {
  await queryable.query('select interlock.set_priority($1, $2, $3, $4)', [id, priority, actor ?? null, reason ?? null])
}

async function callVerb<Status extends string>(
  queryable: Queryable,
  text: string,
  id: JobId,
  { reason, actor }: Motive,
): Promise<Status> {
  return onlyStatus(await queryable.query<{ readonly status: Status }>(text, [id, reason ?? null, actor ?? null]))
}

function onlyStatus<Status>(rows: readonly { readonly status: Status }[]): Status {
  const [row] = rows
  if (row === undefined) throw new TypeError('a verb answered without a row')
  return row.status
}

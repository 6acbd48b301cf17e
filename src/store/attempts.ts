import type { FencingToken, JobId } from '../domain/ids.ts'
import { tellStaleWrites } from '../observability/happenings.ts'
import type { Queryable } from './queryable.ts'

/** A claim: whose write it is. Every verb of a holder names both. */
export interface HeldJob {
  readonly jobId: JobId
  readonly token: FencingToken
}

/** One row of a verb that takes many jobs: accepted, or why not (`stale_token`, `job_not_found`, `cancel_requested`). */
export interface Verdict {
  readonly jobId: JobId
  readonly accepted: boolean
  readonly reason: string | null
}

export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  /** Whole lines, separated by newlines, at most 1 MiB. */
  readonly lines: string
}

export interface JobError {
  readonly message: string
  readonly code: string
  readonly exit_code?: number
  readonly signal?: string
  readonly stack?: string
  readonly field?: string
}

export type Retry = 'auto' | 'now' | 'never'

/** The verbs of a job's holder. All throw InterlockError; those of a single job `stale_token` and `job_not_found`. */
export interface AttemptStore {
  /** Nothing may be started before it was accepted. */
  readonly startJobs: (jobs: readonly HeldJob[]) => Promise<readonly Verdict[]>
  readonly completeJobs: (jobs: readonly (HeldJob & { readonly result: unknown })[]) => Promise<readonly Verdict[]>
  /** Gives jobs back unfinished; the attempt does not count. */
  readonly returnJobs: (jobs: readonly HeldJob[], reason: string) => Promise<readonly Verdict[]>
  /** Returns what the job is now: `scheduled` or `pending` for another attempt, or `failed` for good. */
  readonly failJob: (job: HeldJob, error: JobError, retry: Retry) => Promise<string>
  /** The process of a job that was asked to stop is gone. Throws `illegal_transition` where nobody asked. */
  readonly confirmCancel: (job: HeldJob, error: JobError | null) => Promise<void>
  readonly reportProgress: (job: HeldJob, percent: number, description: string | null) => Promise<void>
  /** The run of a workflow is at this step of it. Throws invalid_argument where it has none of that name. */
  readonly reportStep: (job: HeldJob, step: string) => Promise<void>
  /** The job itself is alive, though it has nothing to show; of no effect where it need not say so. */
  readonly heartbeatJob: (job: HeldJob) => Promise<void>
  /** Returns whether output is cut from now on. */
  readonly appendOutput: (job: HeldJob, chunks: readonly OutputChunk[]) => Promise<{ readonly isCut: boolean }>
}

export function createAttemptStore(database: Queryable): AttemptStore {
  return {
    startJobs: (jobs) =>
      database
        .query<VerdictRow>(
          'select job_id, accepted, reason from interlock.start_jobs($1::text[], $2::bigint[])',
          [idsOf(jobs), tokensOf(jobs)],
          'start_jobs',
        )
        .then(toVerdicts),
    completeJobs: (jobs) =>
      database
        .query<VerdictRow>(
          'select job_id, accepted, reason from interlock.complete_jobs($1::text[], $2::bigint[], $3::text[]::jsonb[])',
          [idsOf(jobs), tokensOf(jobs), jobs.map(({ result }) => toJson(result))],
          'complete_jobs',
        )
        .then(toVerdicts),
    returnJobs: (jobs, reason) =>
      database
        .query<VerdictRow>(
          'select job_id, accepted, reason from interlock.return_jobs($1::text[], $2::bigint[], $3)',
          [idsOf(jobs), tokensOf(jobs), reason],
          'return_jobs',
        )
        .then(toVerdicts),
    failJob: async (job, error, retry) => {
      const [row] = await database.query<{ status: string }>(
        'select status from interlock.fail_job($1, $2, $3, $4)',
        [job.jobId, job.token, error, retry],
        'fail_job',
      )
      return row?.status ?? 'failed'
    },
    confirmCancel: async (job, error) => {
      await database.query(
        'select interlock.confirm_cancel($1, $2, $3)',
        [job.jobId, job.token, error],
        'confirm_cancel',
      )
    },
    reportProgress: async (job, percent, description) => {
      await database.query(
        'select interlock.report_progress($1, $2, $3, $4)',
        [job.jobId, job.token, percent, description],
        'report_progress',
      )
    },
    reportStep: async (job, step) => {
      await database.query('select interlock.report_step($1, $2, $3)', [job.jobId, job.token, step], 'report_step')
    },
    heartbeatJob: async (job) => {
      await database.query('select interlock.heartbeat_job($1, $2)', [job.jobId, job.token], 'heartbeat_job')
    },
    appendOutput: async (job, chunks) => {
      const [row] = await database.query<{ truncated: boolean }>(
        'select truncated from interlock.append_output($1, $2, $3)',
        [job.jobId, job.token, JSON.stringify(chunks)],
        'append_output',
      )
      return { isCut: row?.truncated ?? false }
    },
  }
}

interface VerdictRow {
  readonly job_id: JobId
  readonly accepted: boolean
  readonly reason: string | null
}

function toVerdicts(rows: readonly VerdictRow[]): readonly Verdict[] {
  tellStaleWrites(rows.filter(({ reason }) => reason === 'stale_token').length)
  return rows.map(({ job_id, accepted, reason }) => ({ jobId: job_id, accepted, reason }))
}

export function idsOf(jobs: readonly HeldJob[]): string[] {
  return jobs.map(({ jobId }) => jobId)
}

export function tokensOf(jobs: readonly HeldJob[]): number[] {
  return jobs.map(({ token }) => token)
}

// A job without a result has none, which is not the same as the JSON null.
function toJson(result: unknown): string | null {
  return result === null || result === undefined ? null : JSON.stringify(result)
}

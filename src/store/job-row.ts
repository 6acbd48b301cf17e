import { asAgentId, asFencingToken, asJobId } from '../domain/ids.ts'
import type { Job, JobStatus, Parent, PermissionLevel, Waiting } from '../domain/job.ts'

/** A job as the readers select it, from `jobs` or from `task_history` and `job_results`: the same columns of both. */
export interface JobRow {
  readonly id: string
  readonly status: JobStatus
  readonly task: string
  readonly kind: string
  readonly user_name: string | null
  readonly project: string | null
  readonly queue: string
  readonly priority: number
  readonly permission_level: PermissionLevel | null
  readonly resources: readonly string[]
  readonly progress: number | null
  readonly progress_description: string | null
  readonly attempt: number
  readonly max_attempts: number | null
  readonly timeout_seconds: number | null
  readonly heartbeat_seconds: number | null
  readonly unique_key: string | null
  readonly token: number | null
  readonly agent_id: string | null
  readonly created_at: Date
  readonly run_at: Date | null
  readonly queued_at: Date | null
  readonly assigned_at: Date | null
  readonly started_at: Date | null
  readonly finished_at: Date | null
  readonly expires_at: Date | null
  readonly cancel_requested_at: Date | null
  readonly approved_at: Date | null
  readonly reason: string | null
  readonly error: Readonly<Record<string, unknown>> | null
  readonly payload: Readonly<Record<string, unknown>> | null
  readonly result: unknown
  readonly parents?: readonly Parent[] | null
}

/** The columns of a live job, from `interlock.jobs as j`. */
export const liveColumns = `
  j.id, j.status, j.task, j.kind, j.user_name, j.project, j.queue, j.priority, j.permission_level, j.resources,
  j.progress, j.progress_description, j.attempt, j.max_attempts, j.timeout_seconds, j.token, j.agent_id,
  j.created_at, j.run_at, j.queued_at, j.assigned_at, j.started_at, j.finished_at, j.expires_at,
  j.cancel_requested_at, j.cancel_reason as reason, j.error, j.approved_at, j.heartbeat_seconds, j.unique_key`

/** The columns of a job that ended, from `interlock.task_history as h` and `interlock.job_results as r`. */
export const finishedColumns = `
  h.job_id as id, h.outcome as status, h.task, h.kind, h.user_name, h.project, h.queue, h.priority,
  null::text as permission_level, h.resources,
  case when h.outcome = 'completed' then 100::real end as progress, null::text as progress_description,
  h.attempts as attempt, null::integer as max_attempts, null::integer as timeout_seconds, h.token, h.agent_id,
  h.created_at, null::timestamptz as run_at, h.queued_at, h.assigned_at, h.started_at, h.finished_at,
  null::timestamptz as expires_at, null::timestamptz as cancel_requested_at, h.reason, r.error, null::timestamptz as approved_at,
  null::integer as heartbeat_seconds, null::text as unique_key`

export function toJob(row: JobRow, waiting: Waiting | null): Job {
  return {
    id: asJobId(row.id),
    status: row.status,
    task: row.task,
    kind: row.kind,
    user: row.user_name,
    project: row.project,
    queue: row.queue,
    priority: row.priority,
    permissionLevel: row.permission_level,
    resources: row.resources,
    progress: row.progress,
    progressDescription: row.progress_description,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    timeoutSeconds: row.timeout_seconds,
    heartbeatSeconds: row.heartbeat_seconds,
    uniqueKey: row.unique_key,
    token: row.token === null ? null : asFencingToken(row.token),
    agentId: row.agent_id === null ? null : asAgentId(row.agent_id),
    createdAt: row.created_at,
    runAt: row.run_at,
    queuedAt: row.queued_at,
    assignedAt: row.assigned_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    expiresAt: row.expires_at,
    cancelRequestedAt: row.cancel_requested_at,
    approvedAt: row.approved_at,
    reason: row.reason,
    payload: row.payload,
    result: row.result,
    error: row.error,
    waiting,
    parents: row.parents ?? [],
  }
}

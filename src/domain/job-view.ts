import type { CountedPlace } from './explanation.ts'
import type { Job, JobStatus, Parent } from './job.ts'
import { type PriorityName, priorityName } from './priority.ts'
import { modelsAmong } from './resource.ts'

/** A job as every door shows it, live and finished alike. Times are ISO 8601 with offset. */
export interface JobView extends JobSummaryView {
  readonly payload: Readonly<Record<string, unknown>> | null
  readonly result: unknown
  /** The jobs whose end it waits for, or waited for. */
  readonly depends_on: readonly Parent[]
}

/** A job in a list: the same without payload and result, of which each may be a megabyte. */
export interface JobSummaryView {
  readonly id: string
  readonly status: JobStatus
  readonly task: string
  readonly kind: string
  readonly user: string | null
  readonly project: string | null
  readonly queue: string
  /** The nearest name; `priority_number` is what counts. */
  readonly priority: PriorityName
  readonly priority_number: number
  readonly permission_level: string | null
  readonly models: readonly string[]
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
  readonly created_at: string
  readonly queued_at: string | null
  readonly assigned_at: string | null
  readonly started_at: string | null
  readonly finished_at: string | null
  readonly run_at: string | null
  readonly expires_at: string | null
  readonly cancel_requested_at: string | null
  /** Of a human_required job: null while it waits for somebody to approve or reject it. */
  readonly approved_at: string | null
  readonly reason: string | null
  readonly error: Readonly<Record<string, unknown>> | null
  readonly queue_position: CountedPlace | null
  readonly blocked_by_job_id: string | null
  readonly conflict_reason: string | null
}

export function jobSummaryView(job: Job): JobSummaryView {
  return {
    id: job.id,
    status: job.status,
    task: job.task,
    kind: job.kind,
    user: job.user,
    project: job.project,
    queue: job.queue,
    priority: priorityName(job.priority),
    priority_number: job.priority,
    permission_level: job.permissionLevel,
    models: modelsAmong(job.resources),
    resources: job.resources,
    progress: job.progress,
    progress_description: job.progressDescription,
    attempt: job.attempt,
    max_attempts: job.maxAttempts,
    timeout_seconds: job.timeoutSeconds,
    heartbeat_seconds: job.heartbeatSeconds,
    unique_key: job.uniqueKey,
    token: job.token,
    agent_id: job.agentId,
    created_at: job.createdAt.toISOString(),
    queued_at: timeView(job.queuedAt),
    assigned_at: timeView(job.assignedAt),
    started_at: timeView(job.startedAt),
    finished_at: timeView(job.finishedAt),
    run_at: timeView(job.runAt),
    expires_at: timeView(job.expiresAt),
    cancel_requested_at: timeView(job.cancelRequestedAt),
    approved_at: timeView(job.approvedAt),
    reason: job.reason,
    error: job.error,
    queue_position: job.waiting?.position ?? null,
    blocked_by_job_id: job.waiting?.blockedByJobId ?? null,
    conflict_reason: job.waiting?.reason ?? null,
  }
}

export function jobView(job: Job): JobView {
  return { ...jobSummaryView(job), payload: job.payload, result: job.result, depends_on: job.parents }
}

function timeView(time: Date | null): string | null {
  return time === null ? null : time.toISOString()
}

import { z } from 'zod'
import { countedPlace, parentLink } from './explanation.ts'
import { type Job, jobStatuses } from './job.ts'
import { priorityName, priorityNames } from './priority.ts'
import { modelsAmong } from './resource.ts'

const time = z.iso.datetime()

/** A job in a list: without payload and result, of which each may be a megabyte. Times are ISO 8601 with offset. */
export const jobSummary = z
  .object({
    id: z.string(),
    status: z.enum(jobStatuses),
    task: z.string(),
    kind: z.string(),
    user: z.string().nullable(),
    project: z.string().nullable(),
    queue: z.string(),
    priority: z.enum(priorityNames).describe('The nearest name; priority_number is what counts.'),
    priority_number: z.number(),
    permission_level: z.string().nullable(),
    models: z.array(z.string()).readonly(),
    resources: z.array(z.string()).readonly(),
    progress: z.number().nullable(),
    progress_description: z.string().nullable(),
    attempt: z.int(),
    max_attempts: z.int().nullable(),
    timeout_seconds: z.number().nullable(),
    heartbeat_seconds: z.number().nullable(),
    unique_key: z.string().nullable(),
    token: z.int().nullable().describe('The fencing token of its latest claim.'),
    agent_id: z.string().nullable(),
    created_at: time,
    queued_at: time.nullable(),
    assigned_at: time.nullable(),
    started_at: time.nullable(),
    finished_at: time.nullable(),
    run_at: time.nullable(),
    expires_at: time.nullable(),
    cancel_requested_at: time.nullable(),
    approved_at: time
      .nullable()
      .describe('Of a human_required job: null while it waits for somebody to approve or reject it.'),
    reason: z.string().nullable(),
    error: z.record(z.string(), z.unknown()).readonly().nullable(),
    queue_position: countedPlace.nullable(),
    blocked_by_job_id: z.string().nullable(),
    conflict_reason: z.string().nullable(),
  })
  .readonly()
  .meta({ id: 'JobSummary' })
export type JobSummaryView = z.output<typeof jobSummary>

/** A job as every door shows it, live and finished alike. */
export const jobAnswer = z
  .object({
    ...jobSummary.unwrap().shape,
    payload: z.record(z.string(), z.unknown()).readonly().nullable(),
    result: z.unknown(),
    depends_on: z.array(parentLink).readonly().describe('The jobs whose end it waits for, or waited for.'),
  })
  .readonly()
  .meta({ id: 'Job' })
export type JobView = z.output<typeof jobAnswer>

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

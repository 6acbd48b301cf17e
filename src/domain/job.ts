import type { CountedPlace } from './explanation.ts'
import type { AgentId, FencingToken, JobId } from './ids.ts'
import type { Resource } from './resource.ts'

/**
 * A job is one request for work.
 *
 *     scheduled --.                                  .--> completed
 *     deferred  --+--> pending --> assigned --> running --> failed (for good: the dead letter)
 *     paused    --'       ^           |            |
 *                         '-----------+------------+-- retry: scheduled; given back: pending
 *
 * `cancelled`, `expired` and `deleted` from any state that is not finished. A live job is in `jobs`; one that ended is
 * in `task_history`, where its state is its outcome. Only a dead letter is in both, until it is requeued or deleted.
 */
export const liveStatuses = ['scheduled', 'deferred', 'paused', 'pending', 'assigned', 'running', 'failed'] as const
export const outcomes = ['completed', 'failed', 'cancelled', 'expired', 'deleted'] as const
export const jobStatuses = [...liveStatuses, 'completed', 'cancelled', 'expired', 'deleted'] as const

export type LiveStatus = (typeof liveStatuses)[number]
export type Outcome = (typeof outcomes)[number]
export type JobStatus = (typeof jobStatuses)[number]

export const permissionLevels = ['autonomous', 'supervised', 'human_required'] as const
export type PermissionLevel = (typeof permissionLevels)[number]

/** A job as its readers see it, live and finished alike; null: not so, or not kept. Times in database time. */
export interface Job {
  readonly id: JobId
  readonly status: JobStatus
  readonly task: string
  readonly kind: string
  readonly user: string | null
  readonly project: string | null
  readonly queue: string
  readonly priority: number
  readonly permissionLevel: PermissionLevel | null
  readonly resources: readonly Resource[]
  readonly progress: number | null
  readonly progressDescription: string | null
  readonly attempt: number
  readonly maxAttempts: number | null
  readonly timeoutSeconds: number | null
  /** How long it may run without a sign of life; null: for ever. */
  readonly heartbeatSeconds: number | null
  /** While it is unfinished there is no other one with this key. */
  readonly uniqueKey: string | null
  readonly token: FencingToken | null
  readonly agentId: AgentId | null
  readonly createdAt: Date
  readonly runAt: Date | null
  readonly queuedAt: Date | null
  readonly assignedAt: Date | null
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  readonly expiresAt: Date | null
  readonly cancelRequestedAt: Date | null
  readonly approvedAt: Date | null
  /** Why it was cancelled, expired or deleted, or is asked to stop. */
  readonly reason: string | null
  readonly payload: Readonly<Record<string, unknown>> | null
  readonly result: unknown
  readonly error: Readonly<Record<string, unknown>> | null
  readonly waiting: Waiting | null
  /** Empty in a list, where nobody asked. */
  readonly parents: readonly Parent[]
}

/** A job whose end another one waits for, or waited for. */
export interface Parent {
  readonly job_id: string
  readonly status: JobStatus
  readonly needs: 'success' | 'any'
}

/** Why a pending job waits. `position` is its place among those that wait for the same; null where nobody counted. */
export interface Waiting {
  readonly position: CountedPlace | null
  readonly blockedByJobId: JobId | null
  readonly reason: string | null
}

export function isJobStatus(word: string): word is JobStatus {
  return (jobStatuses as readonly string[]).includes(word)
}

/** Whether a job in this state has ended. A dead letter has, though it may be requeued. */
export function isFinished(status: JobStatus): status is Outcome {
  return (outcomes as readonly string[]).includes(status)
}

/** Whether a job in this state holds resources, and an agent answers for it. */
export function isActive(status: JobStatus): boolean {
  return status === 'assigned' || status === 'running'
}

/** Whether a job in this state is still to be started. */
export function isWaiting(status: JobStatus): boolean {
  return !isFinished(status) && !isActive(status)
}

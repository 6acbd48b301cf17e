import { z } from 'zod'
import { type AgentCounts, agentCounts } from './agent-counts.ts'
import { type BacklogLimit, backlogLimit } from './backlog-limit.ts'
import { backpressure, judgeBackpressure } from './backpressure.ts'
import { type JobStatus, jobStatuses } from './job.ts'
import { type PriorityName, priorityNames } from './priority.ts'

/** What `interlock.queue_snapshot` answers: everything at one instant. Times are ISO 8601. */
export interface QueueSnapshot {
  readonly taken_at: string
  /** Whether there were too many live jobs to count, so that figures of waiting ones are estimates. */
  readonly is_estimated: boolean
  readonly counts: readonly QueueCount[]
  /** Pending jobs by the nearest name of their priority; a name without jobs may be missing. */
  readonly pending: Readonly<Partial<Record<PriorityName, number>>>
  readonly oldest_queued_at: string | null
  readonly active_jobs: readonly ActiveJob[]
  readonly queued_jobs: readonly QueuedJob[]
  readonly slots_used: number
  readonly by_user: Readonly<Record<string, number>>
  readonly users_active: number
  readonly user_locks: number
  readonly user_lock_details: readonly UserLock[]
  /** Lines that are not blocked by anything that is known, counted to a thousand. */
  readonly startable_lanes: number
  readonly agents: AgentCounts
  readonly backlog: readonly BacklogLimit[]
}

const time = z.iso.datetime({ offset: true })
const names = z.array(z.string()).readonly()

const queueCount = z.object({ queue: z.string(), status: z.enum(jobStatuses), count: z.int() }).readonly()
export type QueueCount = z.output<typeof queueCount>

const activeJob = z
  .object({
    job_id: z.string(),
    job_type: z.string(),
    models: names,
    status: z.enum(jobStatuses),
    task: z.string(),
    user: z.string().nullable(),
    queue: z.string(),
    agent_id: z.string(),
    resources: names,
    progress: z.number().nullable(),
    progress_description: z.string().nullable(),
    assigned_at: time,
    started_at: time.nullable(),
    must_end_at: time,
  })
  .readonly()
  .meta({ id: 'ActiveJob' })
export type ActiveJob = z.output<typeof activeJob>

const queuedJob = z
  .object({
    job_id: z.string(),
    job_type: z.string(),
    model: z.string().nullable(),
    models: names,
    task: z.string(),
    user: z.string().nullable(),
    queue: z.string(),
    priority: z.enum(priorityNames),
    blocked_by_job_id: z.string().nullable(),
    conflict_reason: z.string().nullable(),
    queued_at: time,
  })
  .readonly()
  .meta({ id: 'QueuedJob' })
export type QueuedJob = z.output<typeof queuedJob>

const userLock = z.object({ user: z.string(), task_id: z.string(), acquired_at: time, expires_at: time }).readonly()
export type UserLock = z.output<typeof userLock>

/** `GET /queue/status`. The lists are cut, and `is_cut` says which. */
export const queueStatusView = z
  .object({
    taken_at: time,
    active_job: z
      .object({ job_id: z.string().nullable(), job_type: z.string().nullable(), models: names })
      .readonly()
      .describe('The first of active_jobs.'),
    queued_jobs: z.array(queuedJob).readonly().describe('What waits, in about the order of starting.'),
    queue_length: z.int(),
    active_jobs: z.array(activeJob).readonly(),
    pending: z
      .record(z.enum([...priorityNames, 'total']), z.int())
      .readonly()
      .describe('How many wait, by the nearest name of their priority.'),
    active: z
      .object({ slots_used: z.int(), slots_max: z.int(), by_user: z.record(z.string(), z.int()).readonly() })
      .readonly(),
    user_locks: z.object({ active: z.int(), details: z.array(userLock).readonly() }).readonly(),
    counts: z.array(queueCount).readonly(),
    counts_by_status: z.partialRecord(z.enum(jobStatuses), z.int()).readonly(),
    oldest_queued_at: time.nullable(),
    oldest_wait_seconds: z.number().nullable(),
    agents: agentCounts,
    backpressure,
    backlog: z
      .array(backlogLimit)
      .readonly()
      .describe('Limits of unfinished jobs, and whether the next one would be refused.'),
    is_estimated: z
      .boolean()
      .describe('There were too many live jobs to count: figures of waiting ones are estimates.'),
    list_limit: z.int().describe('How many rows each list has at most.'),
    is_cut: z
      .object({
        active_jobs: z.boolean(),
        queued_jobs: z.boolean(),
        by_user: z.boolean(),
        user_locks: z.boolean(),
      })
      .readonly(),
  })
  .readonly()
  .meta({ id: 'QueueStatus' })
export type QueueStatus = z.output<typeof queueStatusView>

/** The status that people and programs read, from a snapshot whose lists were cut at `listLimit`. */
export function queueStatus(snapshot: QueueSnapshot, listLimit: number): QueueStatus {
  const byStatus = countsByStatus(snapshot.counts)
  const waiting = byStatus.pending ?? 0
  const [first] = snapshot.active_jobs
  return {
    taken_at: snapshot.taken_at,
    active_job: { job_id: first?.job_id ?? null, job_type: first?.job_type ?? null, models: first?.models ?? [] },
    queued_jobs: snapshot.queued_jobs,
    queue_length: waiting,
    active_jobs: snapshot.active_jobs,
    pending: { ...pendingByPriority(snapshot), total: waiting },
    active: { slots_used: snapshot.slots_used, slots_max: snapshot.agents.slots, by_user: snapshot.by_user },
    user_locks: { active: snapshot.user_locks, details: snapshot.user_lock_details },
    counts: snapshot.counts,
    counts_by_status: byStatus,
    oldest_queued_at: snapshot.oldest_queued_at,
    oldest_wait_seconds: oldestWaitSeconds(snapshot),
    agents: snapshot.agents,
    backpressure: judgeBackpressure({
      startableLanes: snapshot.startable_lanes,
      waitingJobs: waiting,
      slotsUsed: snapshot.slots_used,
      slots: snapshot.agents.slots,
      room: snapshot.agents.room,
    }),
    backlog: snapshot.backlog,
    is_estimated: snapshot.is_estimated,
    list_limit: listLimit,
    is_cut: {
      active_jobs: snapshot.slots_used > snapshot.active_jobs.length,
      queued_jobs: waiting > snapshot.queued_jobs.length,
      by_user: snapshot.users_active > Object.keys(snapshot.by_user).length,
      user_locks: snapshot.user_locks > snapshot.user_lock_details.length,
    },
  }
}

export function countsByStatus(counts: readonly QueueCount[]): Readonly<Partial<Record<JobStatus, number>>> {
  const byStatus: Partial<Record<JobStatus, number>> = {}
  for (const { status, count } of counts) byStatus[status] = (byStatus[status] ?? 0) + count
  return byStatus
}

/** In database time throughout: the reader's clock may be wrong. */
function oldestWaitSeconds({ taken_at: now, oldest_queued_at: since }: QueueSnapshot): number | null {
  return since === null ? null : Math.max(0, Math.round((Date.parse(now) - Date.parse(since)) / 100) / 10)
}

function pendingByPriority(snapshot: QueueSnapshot): Record<PriorityName, number> {
  const named = priorityNames.map((name) => [name, snapshot.pending[name] ?? 0] as const)
  return Object.fromEntries(named) as Record<PriorityName, number>
}

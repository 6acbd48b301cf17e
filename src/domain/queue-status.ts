import type { AgentCounts } from './agent-counts.ts'
import type { BacklogLimit } from './backlog-limit.ts'
import { type Backpressure, judgeBackpressure } from './backpressure.ts'
import type { JobStatus } from './job.ts'
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

export interface QueueCount {
  readonly queue: string
  readonly status: JobStatus
  readonly count: number
}

export interface ActiveJob {
  readonly job_id: string
  readonly job_type: string
  readonly models: readonly string[]
  readonly status: JobStatus
  readonly task: string
  readonly user: string | null
  readonly queue: string
  readonly agent_id: string
  readonly resources: readonly string[]
  readonly progress: number | null
  readonly progress_description: string | null
  readonly assigned_at: string
  readonly started_at: string | null
  readonly must_end_at: string
}

export interface QueuedJob {
  readonly job_id: string
  readonly job_type: string
  readonly model: string | null
  readonly models: readonly string[]
  readonly task: string
  readonly user: string | null
  readonly queue: string
  readonly priority: PriorityName
  readonly blocked_by_job_id: string | null
  readonly conflict_reason: string | null
  readonly queued_at: string
}

export interface UserLock {
  readonly user: string
  readonly task_id: string
  readonly acquired_at: string
  readonly expires_at: string
}

/** `GET /queue/status`. The lists are cut, and `is_cut` says which. */
export interface QueueStatus {
  readonly taken_at: string
  readonly active_job: Pick<ActiveJob, 'models'> & { readonly job_id: string | null; readonly job_type: string | null }
  readonly queued_jobs: readonly QueuedJob[]
  readonly queue_length: number
  readonly active_jobs: readonly ActiveJob[]
  readonly pending: Readonly<Record<PriorityName | 'total', number>>
  readonly active: {
    readonly slots_used: number
    readonly slots_max: number
    readonly by_user: Readonly<Record<string, number>>
  }
  readonly user_locks: { readonly active: number; readonly details: readonly UserLock[] }
  readonly counts: readonly QueueCount[]
  readonly counts_by_status: Readonly<Partial<Record<JobStatus, number>>>
  readonly oldest_queued_at: string | null
  readonly oldest_wait_seconds: number | null
  readonly agents: AgentCounts
  readonly backpressure: Backpressure
  /** Limits of unfinished jobs, and whether the next one would be refused. */
  readonly backlog: readonly BacklogLimit[]
  readonly is_estimated: boolean
  readonly list_limit: number
  readonly is_cut: Readonly<Record<'active_jobs' | 'queued_jobs' | 'by_user' | 'user_locks', boolean>>
}

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

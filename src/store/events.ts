import type { JobId } from '../domain/ids.ts'
import type { JobStatus } from '../domain/job.ts'
import type { Queryable } from './queryable.ts'

/** A line of `job_queue_log`: what happened to which job, from where to where, by whom and why. */
export interface JobEvent {
  readonly id: number
  readonly createdAt: Date
  readonly eventType: string
  readonly jobId: string | null
  readonly jobType: string | null
  readonly fromStatus: JobStatus | null
  readonly toStatus: JobStatus | null
  readonly token: number | null
  readonly agentId: string | null
  readonly actor: string | null
  readonly conflictReason: string | null
  readonly resources: readonly string[] | null
  readonly details: Readonly<Record<string, unknown>> | null
}

/** What happened to a job, oldest first, after the event with this number (0: from the start). */
export function readTimeline(
  queryable: Queryable,
  id: JobId,
  page: { readonly afterId: number; readonly limit: number },
): Promise<readonly JobEvent[]> {
  return queryable.query<JobEvent>(
    `select e.id, e.created_at as "createdAt", e.event_type as "eventType", e.job_id as "jobId", e.job_type as "jobType",
      e.from_status as "fromStatus", e.to_status as "toStatus", e.token, e.agent_id as "agentId", e.actor,
      e.conflict_reason as "conflictReason", e.resources, e.details
    from interlock.job_queue_log as e
    where e.job_id = $1
      and e.id > $2
    order by e.id
    limit $3`,
    [id, page.afterId, page.limit],
  )
}

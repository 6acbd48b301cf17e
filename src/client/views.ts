import type { JobSummaryView } from '../domain/job-view.ts'

/**
 * What the doors answer with beside the views of domain/: JSON, snake_case, ISO 8601 times. A client reads these and
 * nothing else; what a newer server adds is passed on as it came.
 */

export interface JobPage {
  readonly jobs: readonly JobSummaryView[]
  readonly next_cursor: string | null
}

export interface EventView {
  readonly id: number
  readonly created_at: string
  readonly event_type: string
  readonly job_id: string | null
  readonly from_status: string | null
  readonly to_status: string | null
  readonly token: number | null
  readonly agent_id: string | null
  readonly actor: string | null
  readonly conflict_reason: string | null
  readonly resources: readonly string[] | null
  readonly details: Readonly<Record<string, unknown>> | null
}

export interface OutputChunkView {
  readonly seq: number
  readonly attempt: number
  readonly stream: 'stdout' | 'stderr' | 'system'
  readonly created_at: string
  /** Whole lines, without the last newline. */
  readonly lines: string
}

export interface AgentView {
  readonly id: string
  readonly state: string
  readonly host: string | null
  readonly pid: number | null
  readonly queues: readonly string[]
  readonly slots: number
  readonly slots_open: number
  readonly active_jobs: number
  readonly cpu_percent: number | null
  readonly memory_percent: number | null
  readonly queue_depth: number | null
  readonly load_score: number
  readonly load_level: string
  readonly last_heartbeat_at: string
}

import type { JobRequest } from './job-request.ts'
import type { MissedWay } from './schedule-request.ts'

/** What the doors answer about a schedule: JSON, snake_case, ISO 8601 times. */
export interface ScheduleView {
  readonly name: string
  readonly is_paused: boolean
  readonly cron: string
  readonly time_zone: string
  readonly missed: MissedWay
  readonly missed_limit: number
  readonly job: JobRequest
  /** Null: paused, or never again. In the past: no coordinator is there. */
  readonly next_at: string | null
  /** From now on, as the clock of its zone strikes; of a paused one, what they would be. */
  readonly next_times: readonly string[]
  readonly last_at: string | null
  readonly last_job_id: string | null
  /** Why the latest slot has no job. */
  readonly last_problem: string | null
  readonly created_at: string
  readonly updated_at: string
}

export interface SchedulePage {
  readonly schedules: readonly ScheduleView[]
  readonly next_cursor: string | null
}

/** What setting a schedule came to. */
export type ScheduleOutcome = 'created' | 'changed' | 'unchanged'

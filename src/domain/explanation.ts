import type { JobStatus } from './job.ts'

/** Why a job waits, or what it does instead, as `interlock.explain_job` puts it. Times in ISO 8601. */
export interface Explanation {
  readonly job_id: string
  readonly status: JobStatus
  /** The whole answer in one English sentence. */
  readonly sentence: string
  /** Of a deferred job: those that it still waits for, at most a hundred. */
  readonly waits_for?: readonly ParentLink[]
  readonly queued_at?: string
  /** What a running job has asked a person and waits for. */
  readonly request_id?: string
  readonly obstacle?: { readonly resource: string; readonly kind: string }
  readonly blocked_by_job_id?: string
  readonly conflict_reason?: string
  /** Who holds or reserves what it waits for, what that one waits for, down to a job that runs. */
  readonly chain?: readonly ExplanationLink[]
  readonly place_in_lane?: CountedPlace
  readonly lane_rank?: CountedPlace
  readonly queue_position?: CountedPlace
  readonly reserving?: boolean
  readonly may_reserve?: boolean
  readonly may_reserve_at?: string
}

/** A job that another one waits for. */
export interface ParentLink {
  readonly job_id: string
  readonly status: JobStatus
  readonly needs: 'success' | 'any'
}

export interface ExplanationLink {
  readonly resource: string
  readonly state: 'held' | 'reserved' | 'paused' | 'switched off' | 'free'
  readonly job_id?: string
  readonly user?: string
  readonly task?: string
  readonly status?: JobStatus
  readonly agent_id?: string
  readonly since?: string
}

/** Counted from 1, and no further than a thousand: behind a million nobody waits for the exact figure. */
export type CountedPlace = number | '1000+'

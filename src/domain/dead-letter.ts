/** Dead letters of one error, as every door shows them. */
export interface DeadLetterGroup {
  /** The error without what differs from one time to the next; the filter `error` takes it. */
  readonly error: string
  readonly jobs: number
  readonly first_at: string
  readonly last_at: string
  readonly tasks: readonly string[]
  readonly queues: readonly string[]
  /** 20 at most. */
  readonly users: readonly string[]
  /** The latest of them, whole. */
  readonly example: {
    readonly job_id: string
    readonly task: string
    readonly user: string | null
    readonly project: string | null
    readonly queue: string
    readonly attempts: number
    readonly max_attempts: number
    readonly failed_at: string
    readonly agent_id: string | null
    readonly error: Readonly<Record<string, unknown>> | null
    readonly payload: Readonly<Record<string, unknown>>
  }
}

export interface DeadLetters {
  readonly groups: readonly DeadLetterGroup[]
  /** There are more than were counted: the latest of them stand for all. */
  readonly is_cut: boolean
}

/** A queue's policy, the columns of its row, as every door shows it. */
export interface QueueView {
  readonly name: string
  readonly is_paused: boolean
  readonly tasks: readonly string[] | null
  readonly [setting: string]: unknown
}

/** A limit of a resource or of a pattern, and how much of it is used. */
export interface ResourceView {
  readonly pattern: string
  /** Null: unlimited. */
  readonly capacity: number | null
  readonly starts_per_minute: number | null
  readonly is_paused: boolean
  /** It is there for the pause alone: the capacity is another's. */
  readonly is_pause_only: boolean
  readonly held: number
  readonly reserved: number
  readonly waiting_lanes: number
  readonly updated_at: string
}

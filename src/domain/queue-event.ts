/** A line of the log, with whose job it is about, as every door shows it. */
export interface QueueEvent {
  /** Where to go on after it. */
  readonly cursor: string
  readonly id: number
  readonly created_at: string
  readonly event_type: string
  readonly job_id: string | null
  readonly task: string | null
  readonly user: string | null
  readonly queue: string | null
  readonly from_status: string | null
  readonly to_status: string | null
  readonly token: number | null
  readonly agent_id: string | null
  readonly actor: string | null
  readonly conflict_reason: string | null
  readonly resources: readonly string[] | null
  readonly details: Readonly<Record<string, unknown>> | null
}

export interface EventFilter {
  readonly job?: string | undefined
  readonly user?: string | undefined
  readonly queue?: string | undefined
  readonly event_types?: readonly string[] | undefined
}

export interface EventsRequest extends EventFilter {
  /** Null: from now on. `start`: the oldest that is kept. Else what a page or an event gave. */
  readonly cursor: string | null
  /** How many lines of the log are looked at, 1 to 1000. */
  readonly limit: number
}

export interface EventPage {
  readonly events: readonly QueueEvent[]
  /** Where to go on, also when nothing has come. */
  readonly next_cursor: string
  /** There is more to be had at once. */
  readonly more: boolean
}

/** What read_events() leaves out in SQL, for a page that serves several readers. */
export function passes(event: QueueEvent, { job, user, queue, event_types: types }: EventFilter): boolean {
  return (
    (job === undefined || event.job_id === job) &&
    (user === undefined || event.user === user) &&
    (queue === undefined || event.queue === queue) &&
    (types === undefined || types.includes(event.event_type))
  )
}

import { z } from 'zod'

/** A line of the log, with whose job it is about, as every door shows it. */
export const queueEvent = z
  .object({
    cursor: z.string().describe('Where to go on after it.'),
    id: z.int(),
    created_at: z.string(),
    event_type: z.string(),
    job_id: z.string().nullable(),
    task: z.string().nullable(),
    user: z.string().nullable(),
    queue: z.string().nullable(),
    from_status: z.string().nullable(),
    to_status: z.string().nullable(),
    token: z.int().nullable(),
    agent_id: z.string().nullable(),
    actor: z.string().nullable(),
    conflict_reason: z.string().nullable(),
    resources: z.array(z.string()).readonly().nullable(),
    details: z.record(z.string(), z.unknown()).readonly().nullable(),
  })
  .readonly()
  .meta({ id: 'QueueEvent' })
export type QueueEvent = z.output<typeof queueEvent>

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

export const eventPage = z
  .object({
    events: z.array(queueEvent).readonly(),
    next_cursor: z.string().describe('Where to go on, also when nothing has come.'),
    more: z.boolean().describe('There is more to be had at once.'),
  })
  .readonly()
export type EventPage = z.output<typeof eventPage>

/** What read_events() leaves out in SQL, for a page that serves several readers. */
export function passes(event: QueueEvent, { job, user, queue, event_types: types }: EventFilter): boolean {
  return (
    (job === undefined || event.job_id === job) &&
    (user === undefined || event.user === user) &&
    (queue === undefined || event.queue === queue) &&
    (types === undefined || types.includes(event.event_type))
  )
}

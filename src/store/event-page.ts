import { InterlockError } from '../domain/errors.ts'
import type { Queryable } from './queryable.ts'

export interface EventPage<Event> {
  readonly events: readonly Event[]
  /** Where to go on, also where there was no event. */
  readonly next_cursor: string
  /** There is more to be read at once. */
  readonly more: boolean
}

/**
 * Events of the log in the order in which they were committed, behind a cursor: null for what comes from now on, `start`
 * for the oldest that is kept. Throws invalid_argument, events_lost.
 */
export async function readEventPage<Event>(
  queryable: Queryable,
  cursor: string | null,
  limit: number,
): Promise<EventPage<Event>> {
  const [row] = await queryable.query<EventPage<Event>>(
    'select events, next_cursor, more from interlock.read_events($1, $2)',
    [cursor, limit],
  )
  if (row === undefined) throw new InterlockError('internal', 'read_events answered without a row')
  return row
}

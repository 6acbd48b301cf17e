import type { EventPage, EventsRequest } from '../domain/queue-event.ts'
import type { Queryable } from './queryable.ts'

/** Events in the order in which they were committed, after a cursor. Throws `events_lost` where that can be had no more. */
export async function readEvents(queryable: Queryable, request: EventsRequest): Promise<EventPage> {
  const { cursor, limit, job = null, user = null, queue = null, event_types: types = null } = request
  const [page] = await queryable.query<EventPage & object>(
    'select events, next_cursor, more from interlock.read_events($1, $2, $3, $4, $5, $6)',
    [cursor, limit, job, user, queue, types],
    'read_events',
  )
  if (page === undefined) throw new TypeError('read_events answered without a row')
  return page
}

/**
 * From where one reader is to where another is, who looked later and saw all there was: a cursor is a snapshot, or two
 * with a place between them. At its end both have the same cursor, and one page serves both.
 */
export function fromTo(cursor: string, later: string): string {
  return `${cursor}.${later.slice(later.indexOf('.') + 1)}.0-0`
}

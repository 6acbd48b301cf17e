import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import { Database } from '../store/database.ts'
import { EventFeed, type FeedEvent } from '../store/event-feed.ts'
import { renderEvent } from './event-phrase.ts'
import type { Call } from './runtime.ts'

/** Short enough to look live, long enough not to be felt by the database. */
const lookEveryMs = 100
/** What a person can follow; beyond it they are told how much went by. */
const linesALook = 50

/**
 * Shows each event of the queue as a line, until the call is interrupted. `meanwhile` begins once none of its own events
 * can be missed, and has ended when this has.
 */
export async function showEvents(
  call: Call,
  databaseUrl: string,
  meanwhile: (database: Database) => Promise<void>,
): Promise<void> {
  const database = new Database({ url: databaseUrl, applicationName: 'interlock up events', poolSize: 4 })
  try {
    const feed = await EventFeed.open(database)
    await Promise.all([follow(feed, call), meanwhile(database)])
  } finally {
    await database.end()
  }
}

async function follow(feed: EventFeed, call: Call): Promise<void> {
  while (!call.signal.aborted) {
    const events = await feed.next(10 * linesALook).catch((error: unknown) => {
      // A database that is away is the coordinator's trouble, and it says so; the lines go on when it is back.
      if (isInterlockError(error, 'unavailable')) return []
      throw error
    })
    show(events, call)
    await sleep(lookEveryMs, undefined, { signal: call.signal }).catch(() => undefined)
  }
}

function show(events: readonly FeedEvent[], call: Call): void {
  const { terminal } = call
  for (const event of events.slice(0, call.isJson ? events.length : linesALook)) {
    terminal.print(call.isJson ? JSON.stringify(event) : renderEvent(event, terminal))
  }
  if (!call.isJson && events.length > linesALook) terminal.print(`… and ${events.length - linesALook} events more`)
}

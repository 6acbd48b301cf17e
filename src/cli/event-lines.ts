import type { QueueEvent } from '../domain/queue-event.ts'
import { Database } from '../store/database.ts'
import { EventFeed } from '../store/event-feed.ts'
import { renderEvent } from './event-phrase.ts'
import type { Call } from './runtime.ts'

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
  const feed = new EventFeed(database)
  try {
    const pages = feed.follow({ cursor: null, signal: call.signal })
    // The first page says where it begins: from there on nothing is missed.
    await pages.next()
    await Promise.all([follow(pages, call), meanwhile(database)])
  } finally {
    await feed.stop()
    await database.end()
  }
}

async function follow(pages: ReturnType<EventFeed['follow']>, call: Call): Promise<void> {
  for await (const { events } of pages) show(events, call)
}

function show(events: readonly QueueEvent[], call: Call): void {
  const { terminal } = call
  for (const event of events.slice(0, call.isJson ? events.length : linesALook)) {
    terminal.print(call.isJson ? JSON.stringify(event) : renderEvent(event, terminal))
  }
  if (!call.isJson && events.length > linesALook) terminal.print(`… and ${events.length - linesALook} events more`)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import { type EventFilter, type EventPage, passes, type QueueEvent } from '../domain/queue-event.ts'
import { fromTo, readEvents } from './event-page.ts'
import type { Queryable } from './queryable.ts'

export interface FollowOptions extends EventFilter {
  /** Null: from now on. */
  readonly cursor: string | null
  readonly signal: AbortSignal
}

/** What came, and where to go on after all of it; `events` may be empty. */
export interface FollowedPage {
  readonly events: readonly QueueEvent[]
  readonly cursor: string
}

interface KeptPage extends EventPage {
  readonly after: string
}

const linesALook = 200
/** Nothing tells us of an event, since a NOTIFY serialises commits; a look without news costs some tenths of a millisecond. */
const idleMs = 1000
/** More comes where something came. */
const busyMs = 100
/** For readers who are a little behind the one that looks for all. */
const pagesKept = 50

/**
 * The log as it grows, for any number of readers. One look a second serves all of them: each reader by itself would cost
 * the database what all of them read. Who comes from an earlier cursor reads by itself until it has caught up.
 */
export class EventFeed {
  readonly #queryable: Queryable
  readonly #stopping = new AbortController()
  readonly #pages: KeptPage[] = []
  #tip: string | null = null
  #looking: Promise<boolean> | null = null
  #followers = 0
  #running: Promise<void> | null = null
  #news = Promise.withResolvers<void>()

  constructor(queryable: Queryable) {
    this.#queryable = queryable
  }

  /** Ends whoever follows. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /**
   * Each event once, in the order of commits, until the signal. The first page comes at once and says where it begins.
   * Throws `events_lost`, `invalid_argument` for a cursor of nobody; a database that is away is waited for.
   */
  async *follow({ cursor, signal: given, ...filter }: FollowOptions): AsyncGenerator<FollowedPage, void> {
    const signal = AbortSignal.any([given, this.#stopping.signal])
    this.#followers += 1
    this.#running ??= this.#run()
    try {
      let at = cursor ?? (await this.#lookAtAll())
      if (cursor === null) yield { events: [], cursor: at }
      while (!signal.aborted) {
        const kept = this.#pages.find(({ after }) => after === at)
        if (kept === undefined && at === this.#tip) {
          await heard(this.#news.promise, signal)
          continue
        }
        const read = { cursor: at, limit: linesALook, ...filter }
        const page = kept ?? (await patiently(() => readEvents(this.#queryable, read), signal))
        if (page === null) return
        at = page.next_cursor
        yield { events: page.events.filter((event) => passes(event, filter)), cursor: at }
        if (kept !== undefined || page.more) continue
        const tip = await patiently(() => this.#lookAtAll(), signal)
        if (tip === null) return
        at = fromTo(at, tip)
      }
    } finally {
      this.#followers -= 1
    }
  }

  /** Looks until there is no more, beginning after this call; returns where that is. */
  async #lookAtAll(): Promise<string> {
    await this.#looking?.catch(() => undefined)
    while (await this.#look());
    if (this.#tip === null) throw new TypeError('a look left no cursor')
    return this.#tip
  }

  /** Whether there is more. One at a time: who asks meanwhile gets the answer to the same look. */
  #look(): Promise<boolean> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #lookOnce(): Promise<boolean> {
    const after = this.#tip
    const page = await readEvents(this.#queryable, { cursor: after, limit: linesALook })
    this.#tip = page.next_cursor
    if (after === null || after === page.next_cursor) return page.more
    this.#pages.push({ ...page, after })
    if (this.#pages.length > pagesKept) this.#pages.shift()
    this.#wake()
    return page.more
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (this.#followers > 0 && !signal.aborted) {
      const before = this.#tip
      const more = await this.#look().catch((error: unknown) => {
        // Of another lifetime now: everybody here is told so by their own next read, and begins anew.
        if (isInterlockError(error, 'events_lost')) this.#forget()
        return false
      })
      const hasNews = before !== this.#tip && (this.#pages.at(-1)?.events.length ?? 0) > 0
      if (!more) await pause(hasNews ? busyMs : idleMs, signal)
    }
    // In the same breath as the last look at how many follow: whoever comes next starts it again.
    this.#forget()
    this.#running = null
  }

  #forget(): void {
    this.#tip = null
    this.#pages.length = 0
    this.#wake()
  }

  /** There are other news to wait for in the same breath: who waits for what has come already goes round and round. */
  #wake(): void {
    const { resolve } = this.#news
    this.#news = Promise.withResolvers()
    resolve()
  }
}

async function heard(news: Promise<void>, signal: AbortSignal): Promise<void> {
  const given = Promise.withResolvers<void>()
  const stop = () => given.resolve()
  signal.addEventListener('abort', stop, { once: true })
  if (!signal.aborted) await Promise.race([news, given.promise])
  signal.removeEventListener('abort', stop)
}

/** Null: the signal came first. A database that is away is asked again. */
async function patiently<Answer>(ask: () => Promise<Answer>, signal: AbortSignal): Promise<Answer | null> {
  while (!signal.aborted) {
    try {
      return await ask()
    } catch (error) {
      if (!isInterlockError(error, 'unavailable')) throw error
      await pause(idleMs, signal)
    }
  }
  return null
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => undefined)
}

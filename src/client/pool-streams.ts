import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import { asJobId } from '../domain/ids.ts'
import { isFinished } from '../domain/job.ts'
import type { JobView } from '../domain/job-view.ts'
import type { OutputChunkView } from '../domain/output-view.ts'
import type { QueueEvent } from '../domain/queue-event.ts'
import { readEvents } from '../store/event-page.ts'
import type { JobFeed } from '../store/job-feed.ts'
import { readOutput } from '../store/job-output.ts'
import type { Queryable } from '../store/queryable.ts'
import type { EventQuery } from './transport.ts'
import { asWire } from './wire.ts'

/** Chunks may be 1 MiB each; so many are in memory at once. */
const chunksAtOnce = 20
const eventsAtOnce = 200

/** Where a job may be quiet for hours, nobody needs to look more often than this in case a word was lost. */
const quietSeconds = 30
/** How often it looks for new events. Nobody notifies of them: a NOTIFY serialises the commits of all who write. */
const lookEveryMs = 250
const longestPauseMs = 5000

interface Sources {
  readonly database: Queryable
  readonly feed: JobFeed
  readonly read: (id: string) => Promise<JobView>
}

/** What a job writes, until it has ended. */
export async function* followOutput(
  { database, feed, read }: Sources,
  id: string,
  { after, signal }: { readonly after: number; readonly signal: AbortSignal },
): AsyncGenerator<OutputChunkView> {
  let afterSeq = after
  const watch = feed.watch(asJobId(id))
  try {
    for (;;) {
      signal.throwIfAborted()
      // The state is read before the output: what was written before the end is then shown before it is told.
      const now = await read(id)
      for (;;) {
        const chunks = await readOutput(database, asJobId(id), { afterSeq, limit: chunksAtOnce })
        for (const chunk of chunks) {
          afterSeq = chunk.seq
          yield asWire(chunk)
        }
        if (chunks.length < chunksAtOnce) break
      }
      if (isFinished(now.status)) return
      watch.followOutput(afterSeq)
      await watch.next({ timeoutSeconds: quietSeconds, signal })
    }
  } finally {
    watch.close()
  }
}

/**
 * The log as it grows, from a cursor on, in the order of commits. Throws what refuses the cursor, and `unavailable` where
 * the database never answered; once it has, being away for a while only delays.
 */
export async function* followEvents(
  database: Queryable,
  { since, ...filter }: EventQuery,
  signal: AbortSignal,
): AsyncGenerator<QueueEvent, never> {
  let cursor = since ?? null
  let isFirst = true
  for (let pauseMs = lookEveryMs; ; ) {
    signal.throwIfAborted()
    let more = false
    try {
      const page = await readEvents(database, { ...filter, cursor, limit: eventsAtOnce })
      yield* page.events
      cursor = page.next_cursor
      more = page.more
      isFirst = false
      pauseMs = lookEveryMs
    } catch (error) {
      if (isFirst || !isInterlockError(error, 'unavailable')) throw error
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
    if (!more) await sleep(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
  }
}

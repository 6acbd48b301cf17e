import type { Response } from 'express'
import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { InterlockError, isInterlockError } from '../../domain/errors.ts'
import { eventPage } from '../../domain/queue-event.ts'
import type { FollowedPage } from '../../store/event-feed.ts'
import { readEvents } from '../../store/event-page.ts'
import { withDeadline } from '../deadline.ts'
import { EventStream } from '../event-stream.ts'
import { text, wholeNumber } from '../query.ts'
import type { Answer, Call, Exchange, Route } from '../route.ts'
import type { Services } from '../services.ts'

const cursor = z.string({ error: 'must be given once' }).min(1).max(15_000)

const eventsQuery = z.strictObject({
  since: cursor.optional(),
  job: text.optional(),
  user: text.optional(),
  queue: text.optional(),
  type: z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (Array.isArray(value) ? value : [value]).flatMap((part) => part.split(',')))
    .pipe(z.array(z.string().min(1).max(40)).min(1).max(100))
    .optional(),
  limit: wholeNumber({ min: 1, max: 1000 }).default(200),
})

/** How often a reader whose filter lets nothing through is told where it is, so that coming back costs no more. */
const markSeconds = 15

/**
 * `job_queue_log` as it grows, in the order of commits, each event once: server-sent events from `since` (or Last-Event-ID,
 * which a client that comes back sends by itself) for ever, or one page of JSON for who accepts only that. `since=start`
 * is the oldest event that is kept; without it, what comes from now on. A client that cannot go on without a gap is
 * told so: 410 before the stream, an event `events_lost` within it.
 */
export function eventRoutes({ database, eventFeed }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/events',
      scope: 'read',
      name: 'list_events',
      summary:
        'What happens to jobs, in the order of commits, each event once: server-sent events for ever, or one page where JSON is accepted.',
      query: eventsQuery,
      answers: { 200: eventPage },
      answer: page,
      stream: events,
      isLong: true,
    },
  ]

  async function page({ request }: Call): Promise<Answer> {
    const { limit, asked } = read(request)
    return { status: 200, body: await withDeadline(readEvents(database, { ...asked, limit })).catch(refuse) }
  }

  async function events(call: Call, { request, response }: Exchange): Promise<void> {
    const isPage = request.accepts(['text/event-stream', 'application/json']) === 'application/json'
    if (isPage) response.json((await page(call)).body)
    else await stream(call, response, read(request).asked)
  }

  async function stream({ signal }: Call, response: Response, asked: Asked): Promise<void> {
    const pages = eventFeed.follow({ ...asked, signal })
    // A cursor that is refused is an answer with a status, not a stream.
    const first = await withDeadline(pages.next()).catch(refuse)
    const sent = new EventStream(response, signal)
    try {
      let markedMs = 0
      for (let next = first; next.done !== true; next = await pages.next()) {
        const page: FollowedPage = next.value
        for (const event of page.events) await sent.send({ name: 'message', id: event.cursor, data: event })
        if (performance.now() - markedMs < markSeconds * 1000 && page.events.length > 0) continue
        if (markedMs > 0 && performance.now() - markedMs < markSeconds * 1000) continue
        await sent.mark(page.cursor)
        markedMs = performance.now()
      }
    } catch (error) {
      if (!isInterlockError(error, 'events_lost')) throw error
      await sent.send({ name: 'events_lost', data: { code: error.code, message: error.message, hint: error.hint } })
    } finally {
      await pages.return()
      sent.end()
    }
  }
}

function read(request: Call['request']): { readonly limit: number; readonly asked: Asked } {
  const { since, limit, type, ...filter } = checkContract(eventsQuery, { ...request.query })
  const resumed = request.get('last-event-id')
  const from = checkContract(z.object({ since: cursor.optional() }), { since: resumed ?? since }).since ?? null
  return { limit, asked: { ...filter, event_types: type, cursor: from } }
}

/** What the verb calls the cursor is `since` here. */
function refuse(error: unknown): never {
  if (!isInterlockError(error) || error.field !== 'cursor') throw error
  throw new InterlockError(error.code, error.message, { field: 'since', hint: error.hint, cause: error })
}

interface Asked {
  readonly cursor: string | null
  readonly job?: string | undefined
  readonly user?: string | undefined
  readonly queue?: string | undefined
  readonly event_types?: readonly string[] | undefined
}

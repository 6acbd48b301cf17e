import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { QueueEvent } from '../../src/domain/queue-event.ts'
import { startCli } from '../cli/run-cli.ts'
import { type Doors, openDoors } from '../features/cli-and-http.ts'
import { waitFor } from '../support/wait-for.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

interface Stream {
  readonly events: QueueEvent[]
  readonly names: string[]
  /** As a browser keeps it. */
  lastId(): string
  leave(): void
}

/** Reads server-sent events until it leaves. */
async function open(path: string, headers: Record<string, string> = {}): Promise<Stream> {
  const leaving = new AbortController()
  const response = await fetch(`${doors.http.url}${path}`, { headers, signal: leaving.signal })
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const events: QueueEvent[] = []
  const names: string[] = []
  let lastId = ''
  const take = (block: string) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
    lastId = field('id') ?? lastId
    const data = field('data')
    if (data === undefined) return
    names.push(field('event') ?? 'message')
    events.push(JSON.parse(data))
  }
  const reading = async () => {
    let text = ''
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = `${text}${chunk}`.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) take(block)
    }
  }
  void reading().catch(() => undefined)
  await waitFor(() => lastId !== '', { what: 'a place to come back to' })
  return { events, names, lastId: () => lastId, leave: () => leaving.abort() }
}

const enqueue = (id: string, more = {}) => doors.http.post('/jobs', { task: 'work', id, ...more })
const jobsOf = ({ events }: { readonly events: readonly QueueEvent[] }) => events.map(({ job_id: id }) => id)

describe('GET /events', () => {
  it('is what happens from now on; who comes back with Last-Event-ID misses nothing and sees nothing twice', async () => {
    await enqueue('before')
    const first = await open('/events')
    await enqueue('one', { user: 'alice' })
    await enqueue('two')
    await waitFor(() => first.events.length === 2, { what: 'two events' })
    const [one] = first.events
    expect(one).toMatchObject({ event_type: 'enqueued', job_id: 'one', task: 'work', user: 'alice', queue: 'default' })
    first.leave()
    await enqueue('three')
    const again = await open('/events', { 'last-event-id': first.lastId() })
    const between = await open(`/events?since=${one?.cursor}`)
    await enqueue('four')
    await waitFor(() => again.events.length >= 2 && between.events.length >= 3, { what: 'the rest' })
    expect(jobsOf(again)).toEqual(['three', 'four'])
    expect(jobsOf(between)).toEqual(['two', 'three', 'four'])
    expect(new Set(again.names)).toEqual(new Set(['message']))
    again.leave()
    between.leave()
  })

  it('shows what is asked for, and a page of it as JSON to who takes nothing else', async () => {
    const stream = await open('/events?user=carol&type=enqueued,cancelled')
    const json = { accept: 'application/json' }
    const { next_cursor: from } = (await doors.http.get('/events', json)).json
    await enqueue('hers', { user: 'carol' })
    await enqueue('his', { user: 'bob' })
    await doors.http.post('/jobs/hers/cancel', {})
    await waitFor(() => stream.events.length === 2, { what: 'her events' })
    expect(stream.events.map((event) => event.event_type)).toEqual(['enqueued', 'cancelled'])
    stream.leave()
    const page = (await doors.http.get(`/events?since=${from}&job=his`, json)).json
    expect(page).toMatchObject({ events: [{ job_id: 'his', event_type: 'enqueued' }], more: false })
  })

  it('refuses a cursor of nobody (422), one of another lifetime (410), and what it does not know, before a stream begins', async () => {
    const { next_cursor: now } = (await doors.http.get('/events', { accept: 'application/json' })).json
    const wrong = [
      ['since=x', 422, 'invalid_argument'],
      [`since=00000000${now.slice(8)}`, 410, 'events_lost'],
      ['since=start&since=start', 422, 'invalid_argument'],
      ['limit=0', 422, 'invalid_argument'],
      ['type=', 422, 'invalid_argument'],
      ['user=', 422, 'invalid_argument'],
    ] as const
    for (const [query, status, code] of wrong) {
      expect(await doors.http.get(`/events?${query}`), query).toMatchObject({ status, json: { code } })
    }
    const resumed = await doors.http.get('/events', { 'last-event-id': '12' })
    expect(resumed).toMatchObject({ status: 422, json: { field: 'since' } })
  })
})

describe('interlock events', () => {
  it('follows, over HTTP and on the database; without --follow it shows what is kept, and ends', async () => {
    const watched = await Promise.all([
      startCli(['events', '--follow', '--user', 'dora'], { env: { INTERLOCK_URL: doors.http.url } }),
      startCli(['events', '--follow', '--user', 'dora', '--since', 'start', '--json', '--limit', '2'], {
        env: { DATABASE_URL: doors.test.url },
      }),
    ])
    // Each has to have begun: one job after another until the slower one has seen one.
    let n = 0
    await waitFor(
      async () => {
        await enqueue(`dora-${n++}`, { user: 'dora' })
        return watched[0].stdout().includes('dora-')
      },
      { what: 'an event to be shown', timeoutMs: 20_000 },
    )
    watched[0].kill('SIGINT')
    expect(watched[0].stdout()).toMatch(/dora +dora-\d+ +work +enqueued/)
    const lines = (await watched[1].ended()).stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).job_id)).toEqual(['dora-0', 'dora-1'])
    const kept = await doors.interlock('events', '--user', 'dora', '--type', 'enqueued')
    expect(kept.stdout.trim().split('\n')).toHaveLength(n)
    expect(await doors.interlockOnDatabase('events', '--since', 'nonsense')).toMatchObject({ code: 2 })
  })
})

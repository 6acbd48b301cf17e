import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Client, createClient } from '../../src/client/entry.ts'
import { HttpClient } from '../../src/client/http-client.ts'
import { readSentEvents } from '../../src/client/sent-events.ts'

/** What a server of events does with one connection. */
type Scene = (request: IncomingMessage, response: ServerResponse) => void

interface Asked {
  readonly url: string
  readonly lastEventId: string | undefined
  readonly authorization: string | undefined
}

const opened: { close(): void }[] = []
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

/** A server that plays a scene for each connection, the last one again and again; it notes what it was asked. */
async function openServer(...scenes: readonly Scene[]): Promise<{ url: string; asked: Asked[]; client: Client }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const { 'last-event-id': lastEventId, authorization } = request.headers
    asked.push({ url: request.url ?? '', lastEventId: lastEventId?.toString(), authorization })
    scenes[Math.min(asked.length, scenes.length) - 1]?.(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = createClient({ url, key: 'il_1_secret' })
  opened.push({
    close() {
      void client.close()
      server.closeAllConnections()
      server.close()
    },
  })
  return { url, asked, client }
}

const stream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })
const event = (id: string, eventType: string) =>
  `id: ${id}\nevent: event\ndata: {"id": 1, "event_type": "${eventType}", "job_id": "a1"}\n\n`
const says =
  (...parts: readonly string[]): Scene =>
  (_, response) => {
    stream(response)
    for (const part of parts) response.write(part)
  }
const saysAndBreaks =
  (...parts: readonly string[]): Scene =>
  (_, response) => {
    stream(response)
    response.write(parts.join(''), () => response.destroy())
  }
const refuses =
  (status: number, code: string): Scene =>
  (_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ code, detail: code }))

async function take(client: Client, count: number, options: { since?: string } = {}): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const { cursor, event_type } of client.events(options)) {
    seen.push(`${cursor} ${event_type}`)
    if (seen.length === count) break
  }
  return seen
}

describe('events() over HTTP', () => {
  it('go on where the connection broke off, by the cursor of the last one; each once', async () => {
    const { client, asked } = await openServer(
      saysAndBreaks(event('k.1', 'enqueued'), event('k.2', 'assigned'), 'id: k.3\ndata: {"cut'),
      refuses(503, 'unavailable'),
      says(event('k.3', 'started')),
    )
    expect(await take(client, 3, { since: 'k.0' })).toEqual(['k.1 enqueued', 'k.2 assigned', 'k.3 started'])
    expect(asked.map(({ url, lastEventId }) => [url, lastEventId])).toEqual([
      ['/events?since=k.0', undefined],
      ['/events', 'k.2'],
      ['/events', 'k.2'],
    ])
    expect(asked[0]?.authorization).toBe('Bearer il_1_secret')
  })

  it('go on from where the server said that they begin, where the connection broke before the first one', async () => {
    const { client, asked } = await openServer(
      saysAndBreaks('id: begin.7\n\n: still here\n\n'),
      says(event('k.8', 'due')),
    )
    expect(await take(client, 1)).toEqual(['k.8 due'])
    expect(asked.map(({ lastEventId }) => lastEventId)).toEqual([undefined, 'begin.7'])
  })

  it('lose none to a caller who is slower than the connection: what was read and not taken is asked for again', async () => {
    const broken = Promise.withResolvers<void>()
    const { client, asked } = await openServer(
      (request, response) => {
        response.once('close', () => broken.resolve())
        saysAndBreaks(event('k.1', 'one'), event('k.2', 'two'), event('k.3', 'three'))(request, response)
      },
      says(event('k.4', 'four')),
    )
    const seen: string[] = []
    for await (const { cursor } of client.events()) {
      // Broken with two events behind this one.
      if (seen.length === 0) await broken.promise
      seen.push(cursor)
      if (cursor === 'k.4') break
    }
    expect(seen).toEqual(['k.1', 'k.2', 'k.3', 'k.4'])
    expect(asked.at(-1)?.lastEventId).toBe('k.3')
  })

  it('leave a server that has gone silent for another connection', async () => {
    const { url, asked } = await openServer(says(event('k.1', 'one')), says(event('k.2', 'two')))
    const seen: unknown[] = []
    for await (const { id } of readSentEvents(new HttpClient({ url }), '/events', { quietSeconds: 0.05 })) {
      if (seen.push(id) === 2) break
    }
    expect(seen).toEqual(['k.1', 'k.2'])
    expect(asked[1]?.lastEventId).toBe('k.1')
  })

  it('throw what the server refuses, at once and after a break, and that nobody ever answered', async () => {
    const lost = await openServer(saysAndBreaks(event('k.1', 'one')), refuses(422, 'invalid_argument'))
    await expect(take(lost.client, 2)).rejects.toMatchObject({ name: 'InterlockError', code: 'invalid_argument' })
    const nobody = createClient({ url: 'http://127.0.0.1:9' })
    await expect(take(nobody, 1)).rejects.toMatchObject({ code: 'unavailable' })
  })

  it('end by the signal with its reason, by break, and by the end of the client; the connection goes with them', async () => {
    let gone = 0
    const { client } = await openServer((request, response) => {
      request.once('close', () => {
        gone += 1
      })
      stream(response).write(event('k.1', 'one'))
    })
    const leaving = new AbortController()
    const reading = (async () => {
      for await (const _ of client.events({ signal: leaving.signal })) leaving.abort(new Error('enough'))
    })()
    await expect(reading).rejects.toThrow('enough')
    expect(await take(client, 1)).toEqual(['k.1 one'])
    const closing = (async () => {
      for await (const _ of client.events()) await client.close()
    })()
    await expect(closing).rejects.toMatchObject({ message: 'the client was closed' })
    await expect.poll(() => gone).toBe(3)
  })
})

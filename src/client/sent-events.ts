import { setTimeout as sleep } from 'node:timers/promises'
import { createParser } from 'eventsource-parser'
import { InterlockError, isInterlockError } from '../domain/errors.ts'
import type { HttpClient } from './http-client.ts'

/** A server-sent event, its data parsed. */
export interface SentEvent {
  /** Where the stream is after it; null where the server named no place. */
  readonly id: string | null
  readonly name: string
  readonly data: unknown
}

export interface SentEventsOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>
  /** Where to begin, as the path's query has it; later connections begin where the one before broke off. */
  readonly start?: Readonly<Record<string, string | number | undefined>>
  /** Ends the iteration by throwing its reason. */
  readonly signal?: AbortSignal | undefined
  /** The server says something every 15 s; so long after its last word it is taken to be gone. 45 unless set. */
  readonly quietSeconds?: number
}

interface Message {
  readonly id: string | null
  readonly name: string
  /** Null: it only says where the stream is. */
  readonly text: string | null
}

const longestPauseMs = 5000

/**
 * Reads server-sent events for as long as somebody takes them, across as many connections as that needs: each goes on
 * where the last one broke off. Throws what the server refuses, and `unavailable` where it never answered at all. Whether
 * the last event was the last one only the caller knows, and leaves.
 */
export async function* readSentEvents(
  http: HttpClient,
  path: string,
  { query, start, signal, quietSeconds = 45 }: SentEventsOptions,
): AsyncGenerator<SentEvent, never> {
  let place: string | null = null
  let isFirst = true
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    signal?.throwIfAborted()
    const quiet = new AbortController()
    try {
      const body = await http.open(path, {
        query: place === null ? { ...query, ...start } : { ...query },
        headers: place === null ? {} : { 'last-event-id': place },
        signal: AbortSignal.any([quiet.signal, ...(signal === undefined ? [] : [signal])]),
      })
      isFirst = false
      for await (const { id, name, text } of readMessages(body, { quiet, quietMs: quietSeconds * 1000 })) {
        pauseMs = 100
        // Not when it was read: of what was read and not yet taken, the rest would be lost with the connection.
        if (id !== null) place = id
        if (text !== null) yield { id, name, data: parse(text) }
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (isFirst || (isInterlockError(error) && error.code !== 'unavailable')) throw error
    } finally {
      quiet.abort()
    }
    // Drawn at random: after a restart of the server everybody comes back at once.
    await sleep(pauseMs * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal }).catch(() => {})
  }
}

/** Until the stream ends or breaks, which is the same to its reader. */
async function* readMessages(
  body: ReadableStream<Uint8Array>,
  { quiet, quietMs }: { readonly quiet: AbortController; readonly quietMs: number },
): AsyncGenerator<Message> {
  let read: Message[] = []
  const parser = createParser({
    onId: (id) => read.push({ id, name: '', text: null }),
    onEvent: ({ id, event, data }) => read.push({ id: id ?? null, name: event ?? 'message', text: data }),
  })
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      // Only while we wait for it: a caller who takes an hour over an event must not lose the stream for that.
      const timer = setTimeout(() => quiet.abort(), quietMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      const messages = read
      read = []
      yield* messages
    }
  } catch (error) {
    if (error instanceof InterlockError) throw error
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InterlockError('internal', 'the server sent an event that is not JSON', { cause: error })
  }
}

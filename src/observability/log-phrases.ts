import type { Logger } from './logger.ts'

/**
 * Every sentence that the log may hold, with its level, in one place: code says what happened, this says how it reads.
 * The name goes along as `event`, for those who search rather than read.
 */
const phrases = {
  'http.listening': info((fields: { readonly url: string }) => `listening on ${fields.url}`),
  'http.unguarded': warn(
    (fields: { readonly url: string }) =>
      `no keys are asked for: whoever reaches ${fields.url} may do anything (security.keys)`,
  ),
  'http.stopped': info((fields: { readonly cut: number }) =>
    fields.cut === 0 ? 'stopped listening' : `stopped listening; ${fields.cut} connections had to be cut`,
  ),
  'http.answered': info(
    (fields: {
      readonly request_id: string
      readonly method: string
      readonly path: string
      readonly status: number
      readonly duration_ms: number
    }) => `${fields.method} ${fields.path} ${fields.status} in ${fields.duration_ms} ms`,
  ),
  'http.gone': info(
    (fields: {
      readonly request_id: string
      readonly method: string
      readonly path: string
      readonly duration_ms: number
    }) => `${fields.method} ${fields.path}: the caller left after ${fields.duration_ms} ms`,
  ),
  'http.refused': warn(
    (fields: { readonly request_id: string; readonly code: string; readonly error: unknown }) =>
      `a request could not be answered: ${fields.code}`,
  ),
  'http.failed': error(
    (_fields: { readonly request_id: string; readonly error: unknown }) => 'a request failed on our side',
  ),
  'http.not_permitted': warn(
    (fields: { readonly request_id: string; readonly operation: string; readonly code: string }) =>
      `${fields.operation} was refused: ${fields.code}`,
  ),
  'audit.lost': error(
    (fields: { readonly request_id: string | null; readonly operation: string; readonly error: unknown }) =>
      `the audit has no line of ${fields.operation}`,
  ),
  'alarm.raised': warn(
    (fields: {
      readonly rule: string
      readonly subject: string
      readonly value: number
      readonly bound: number
      readonly message: string
    }) => `alarm: ${fields.message}`,
  ),
  'alarm.cleared': info(
    (fields: {
      readonly rule: string
      readonly subject: string
      readonly value: number
      readonly bound: number
      readonly message: string
    }) => `no longer alarming: ${fields.message}`,
  ),
  'alarm.undelivered': error(
    (fields: { readonly id: string; readonly attempts: number; readonly problem: string }) =>
      `an alarm could not be delivered to the webhook and is given up: ${fields.problem}`,
  ),
  'feed.lost': warn(
    (_fields: { readonly error: unknown }) =>
      'the connection that listens for ended jobs is lost; looking every few seconds until it is back',
  ),
} as const

type Phrases = typeof phrases
export type LogEvent = keyof Phrases
export type LogFields<Event extends LogEvent> = Parameters<Phrases[Event]['phrase']>[0]

/** Writes what happened, in its own words and at its own level. */
export function say<Event extends LogEvent>(logger: Logger, event: Event, fields: LogFields<Event>): void {
  const { level, phrase } = phrases[event] as { level: Level; phrase: (fields: object) => string }
  const line: object = { event, ...fields }
  logger[level](line, phrase(fields))
}

type Level = 'debug' | 'info' | 'warn' | 'error'

interface Phrase<Fields> {
  readonly level: Level
  readonly phrase: (fields: Fields) => string
}

function info<Fields>(phrase: (fields: Fields) => string): Phrase<Fields> {
  return { level: 'info', phrase }
}

function warn<Fields>(phrase: (fields: Fields) => string): Phrase<Fields> {
  return { level: 'warn', phrase }
}

function error<Fields>(phrase: (fields: Fields) => string): Phrase<Fields> {
  return { level: 'error', phrase }
}

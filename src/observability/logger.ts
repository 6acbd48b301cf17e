import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import { scrub } from '../security/scrub.ts'
import { errorFields } from './error-fields.ts'
import { createTextLines } from './text-lines.ts'

/** Fields first, then the sentence: `logger.info({ jobId }, 'job started')`. Children carry their fields along. */
export type Logger = PinoLogger

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface LoggerOptions {
  readonly level?: LogLevel
  /** `json` for machines (one object a line), `text` for a person at a terminal. */
  readonly format?: 'json' | 'text'
  /** Colour of the text format; the caller knows whether it writes to a terminal and whether NO_COLOR is set. */
  readonly color?: boolean
  readonly destination?: DestinationStream
}

/**
 * What must never reach a log, whoever logs it: secrets, and the payloads of jobs. Paths, not patterns, are what pino
 * can redact without a cost for each line; `*.` covers one level of nesting.
 */
const secretNames = [
  'payload',
  'password',
  'secret',
  'authorization',
  'cookie',
  'connectionString',
  'databaseUrl',
] as const
const redactedPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** A logger that writes to stderr unless told otherwise: stdout belongs to the data of commands. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', format = 'json', color = false } = options
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true })
  const lines = format === 'text' ? createTextLines(destination, { color }) : destination
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: '[redacted]' },
      serializers: { error: errorFields, err: errorFields },
      // The last thing before a line leaves, whoever wrote it: 1 us a line.
      hooks: { streamWrite: scrub },
    },
    lines,
  )
}

/** A logger that says nothing, for tests and for library use. */
export function createSilentLogger(): Logger {
  return pino({ level: 'silent' })
}

import { pino } from 'pino'

/**
 * What Postgres adds to an error and a log must not repeat: a row that broke a CHECK is quoted whole in its detail, with
 * the payload of the job, and a statement with its values in the place where it failed.
 */
const quoting: ReadonlySet<string> = new Set(['detail', 'where', 'internalQuery', 'query', 'parameters', 'values'])

/** An error as the log has it: its type, message, stack and codes. */
export function errorFields(error: unknown): unknown {
  return withoutQuotes(pino.stdSerializers.err(error as Error))
}

function withoutQuotes(fields: unknown): unknown {
  if (Array.isArray(fields)) return fields.map(withoutQuotes)
  if (typeof fields !== 'object' || fields === null) return fields
  const shown = Object.entries(fields).filter(([name]) => name !== 'raw' && !quoting.has(name))
  return Object.fromEntries(shown.map(([name, value]) => [name, withoutQuotes(value)]))
}

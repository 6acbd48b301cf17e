import type { DestinationStream } from 'pino'

const colors: Readonly<Record<string, string>> = {
  trace: '\u001b[2m',
  debug: '\u001b[2m',
  info: '',
  warn: '\u001b[33m',
  error: '\u001b[31m',
  fatal: '\u001b[31m',
}
const reset = '\u001b[0m'

/**
 * Turns pino's JSON lines into lines for a person: `12:30:01 warn  sentence  key=value`. Written here because it is a
 * page of code, and a development dependency would be missing exactly where people look: in an installed program.
 */
export function createTextLines(
  destination: DestinationStream,
  options: { readonly color: boolean },
): DestinationStream {
  return {
    write(line: string): void {
      destination.write(`${toText(line, options.color)}\n`)
    },
  }
}

function toText(line: string, color: boolean): string {
  const { time, level, msg, error, ...fields } = JSON.parse(line) as Record<string, unknown>
  const levelName = String(level)
  const clock = String(time).slice(11, 19)
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${toValue(value)}`)
  const text = [clock, levelName.padEnd(5), msg, ...rest].filter((part) => part !== undefined).join(' ')
  const stack = isError(error) ? `\n  ${(error.stack ?? error.message ?? '').replaceAll('\n', '\n  ')}` : ''
  const start = color ? (colors[levelName] ?? '') : ''
  return start === '' ? text + stack : start + text + stack + reset
}

function toValue(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)
}

function isError(value: unknown): value is { readonly message?: string; readonly stack?: string } {
  return typeof value === 'object' && value !== null
}

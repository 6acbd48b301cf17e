/**
 * What a job's process and its agent say to each other. A command gets the job as JSON on stdin and a few variables in
 * its environment; it answers by lines on stdout and by its exit code, so that a shell script can take part:
 *
 *     ::interlock progress 45 Resizing
 *     ::interlock heartbeat                    a sign of life, where there is neither progress nor output to show
 *     ::interlock result {"url": "..."}        else the last line of stdout, if it is a JSON object
 *     ::interlock error {"message": "..."}     what to say of a failure; the exit code still decides that it is one
 */
export const controlPrefix = '::interlock '

/** Every other code than 0 is an ordinary failure, retried as the queue says. 75 is EX_TEMPFAIL, 77 EX_NOPERM. */
export const exitCodes = { completed: 0, retry: 75, fatal: 77 } as const

/** Bytes, except for the description: characters. What is longer is cut and marked, or fails the job and only it. */
export const jobLimits = {
  outputBytes: 10 * 1024 * 1024,
  lineBytes: 64 * 1024,
  resultBytes: 1024 * 1024,
  stackBytes: 8 * 1024,
  descriptionLength: 1024,
} as const

export type ControlLine =
  | { readonly kind: 'progress'; readonly percent: number; readonly description: string | null }
  | { readonly kind: 'result' | 'error'; readonly json: string }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'unknown' }

/** Reads a line that begins with the prefix. `unknown` is a verb that this version does not know, or a bad number. */
export function parseControlLine(line: string): ControlLine {
  const [, verb, rest = ''] = /^::interlock\s+(\S+)\s*(.*)$/s.exec(line.trimEnd()) ?? []
  if (verb === 'result' || verb === 'error') return { kind: verb, json: rest }
  if (verb === 'heartbeat') return { kind: 'heartbeat' }
  if (verb !== 'progress') return { kind: 'unknown' }
  const [, number = '', description = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? []
  const percent = Number(number.replace(/%$/, ''))
  if (number === '' || !Number.isFinite(percent)) return { kind: 'unknown' }
  return { kind: 'progress', percent: clampPercent(percent), description: describe(description) }
}

export function clampPercent(percent: number): number {
  return Math.min(100, Math.max(0, percent))
}

/** A description as it may be stored: null when empty, cut at its limit. */
export function describe(description: string): string | null {
  const text = description.trim()
  return text === '' ? null : text.slice(0, jobLimits.descriptionLength)
}

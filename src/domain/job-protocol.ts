/**
 * What a job's process and its agent say to each other. A command gets the job as JSON on stdin and a few variables in
 * its environment; it answers by lines on stdout and by its exit code, so that a shell script can take part:
 *
 *     ::interlock progress 45 Resizing
 *     ::interlock step upscale                the run of a workflow says which of its steps it is at
 *     ::interlock heartbeat                    a sign of life, where there is neither progress nor output to show
 *     ::interlock result {"url": "..."}        else the last line of stdout, if it is a JSON object
 *     ::interlock ask {"type": "approval", "message": "Deploy?"}      answered by a line of JSON on stdin, where the task's
 *                                              entry says answers = "stdin", or over HTTP
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
  | { readonly kind: 'result' | 'error' | 'ask'; readonly json: string }
  | { readonly kind: 'step'; readonly name: string }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'unknown' }

/** Reads a line that begins with the prefix. `unknown` is a verb that this version does not know, or a bad number. */
export function parseControlLine(line: string): ControlLine {
  const [, verb, rest = ''] = /^::interlock\s+(\S+)\s*(.*)$/s.exec(line.trimEnd()) ?? []
  if (verb === 'result' || verb === 'error' || verb === 'ask') return { kind: verb, json: rest }
  if (verb === 'step' && rest !== '') return { kind: 'step', name: rest }
  if (verb === 'heartbeat') return { kind: 'heartbeat' }
  if (verb !== 'progress') return { kind: 'unknown' }
  const [, number = '', description = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? []
  const percent = Number(number.replace(/%$/, ''))
  if (number === '' || !Number.isFinite(percent)) return { kind: 'unknown' }
  return { kind: 'progress', percent: clampPercent(percent), description: describe(description) }
}

/** A value as one line of JSON, also for a reader to whom U+2028 and U+2029 end a line, as to Node's readline. */
export function jsonLine(value: unknown): string {
  const json = JSON.stringify(value)
  return `${json.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`
}

export function clampPercent(percent: number): number {
  return Math.min(100, Math.max(0, percent))
}

/** A description as it may be stored: null when empty, cut at its limit. */
export function describe(description: string): string | null {
  const text = description.trim()
  return text === '' ? null : text.slice(0, jobLimits.descriptionLength)
}

import { claimsOf, type LogEvent, pendingSince } from './history.ts'

export interface GanttRow {
  readonly label: string
  /** The resource whose use the row shows. */
  readonly resource: string
}

export interface GanttOptions {
  /** Columns of the whole picture. */
  readonly columns: number
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Who used what, and when, from the log alone: a row for each resource, `[alice-1==]` for a claim, dots where a job that
 * needs it waited and nobody had it.
 */
export function gantt(log: readonly LogEvent[], rows: readonly GanttRow[], options: GanttOptions): string {
  const { columns, fromMs, toMs } = options
  const labelWidth = Math.max(...rows.map(({ label }) => label.length), 0) + 2
  const width = columns - labelWidth
  const column = (ms: number) => Math.round(((ms - fromMs) / Math.max(toMs - fromMs, 1)) * width)
  const claims = claimsOf(log)

  const lines = rows.map(({ label, resource }) => {
    const cells = Array.from({ length: width }, () => ' ')
    const own = claims.filter(({ resources }) => resources.includes(resource))
    for (const { jobId, assigned } of own) {
      const since = pendingSince(log, jobId, assigned.id)
      if (since !== null) cells.fill('.', Math.max(0, column(since.atMs)), Math.max(0, column(assigned.atMs)))
    }
    for (const { jobId, assigned, ended } of own) {
      const from = Math.max(0, column(assigned.atMs))
      const to = Math.min(width, Math.max(from + 1, column(ended?.atMs ?? toMs)))
      const bar = barOf(jobId, to - from, ended?.type ?? 'running')
      cells.splice(from, bar.length, ...bar)
    }
    return `${label.padEnd(labelWidth)}${cells.join('').trimEnd()}`
  })
  return [scale(labelWidth, width, (toMs - fromMs) / 1000), ...lines].join('\n')
}

/** `[alice-1==]`, or `[a1]` where there is little room; with an x for the end of a claim that did not complete. */
function barOf(jobId: string, width: number, end: string): readonly string[] {
  const close = end === 'completed' ? ']' : end === 'running' ? '>' : 'x'
  if (width === 1) return [close === ']' ? '|' : close]
  const name = jobId.length <= width - 2 ? jobId : jobId.replace(/^(.).*?-/, '$1')
  return [...`[${name.slice(0, width - 2).padEnd(width - 2, '=')}${close}`]
}

function scale(indent: number, width: number, totalSeconds: number): string {
  const stepSeconds = [1, 2, 5, 10, 30, 60].find((step) => (width * step) / totalSeconds >= 8) ?? 300
  let line = ' '.repeat(indent)
  for (let second = 0; second <= totalSeconds; second += stepSeconds) {
    const at = indent + Math.round((second / totalSeconds) * width)
    if (at + 4 <= indent + width) line = `${line.padEnd(at)}${second}s`
  }
  return line
}

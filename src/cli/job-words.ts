import type { JobView } from '../domain/job-view.ts'
import { priorities } from '../domain/priority.ts'
import type { Paint, Painter } from './terminal.ts'

/** How the words of a job look to a person. */

const statusPaint: Readonly<Record<string, Paint>> = {
  running: 'cyan',
  assigned: 'cyan',
  completed: 'green',
  failed: 'red',
  expired: 'red',
  cancelled: 'yellow',
  deleted: 'dim',
}

export function paintStatus(status: string, terminal: Painter): string {
  const paint = statusPaint[status]
  return paint === undefined ? status : terminal.paint(paint, status)
}

/** The name of a priority, or the number where it has none. */
export function showPriority(priority: number): string {
  const named = Object.entries(priorities).find(([, number]) => number === priority)
  return named === undefined ? String(priority) : named[0]
}

export function showProgress(job: Pick<JobView, 'progress' | 'progress_description'>): string | null {
  if (job.progress === null) return null
  const percent = `${Math.round(job.progress)} %`
  return job.progress_description === null ? percent : `${percent}  ${job.progress_description}`
}

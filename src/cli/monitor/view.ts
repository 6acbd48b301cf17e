import type { ActiveJob, QueuedJob } from '../../domain/queue-status.ts'
import type { QueueView } from '../../domain/queue-view.ts'
import type { MonitorData } from './monitor-data.ts'

/** What the person has chosen to see. What there is to see comes from elsewhere. */
export interface View {
  readonly page: 'queue' | 'job' | 'help'
  /** A row, by its key: it stays chosen while others come and go above it. */
  readonly selected: string | null
  /** Where it was, for when it is gone: its neighbour is chosen then. */
  readonly selectedIndex: number
  readonly filter: string
  readonly isTyping: boolean
  readonly jobId: string | null
  readonly scroll: number
  readonly question: Question | null
}

export type Question =
  | { readonly about: 'cancel'; readonly jobId: string; readonly what: string; readonly isLast: boolean }
  | { readonly about: 'pause' | 'resume'; readonly queue: string }

export const firstView: View = {
  page: 'queue',
  selected: null,
  selectedIndex: 0,
  filter: '',
  isTyping: false,
  jobId: null,
  scroll: 0,
  question: null,
}

/** What the arrow keys go through, from the top of the screen to its end. */
export interface Rows {
  readonly queues: readonly QueueView[]
  readonly running: readonly ActiveJob[]
  readonly waiting: readonly QueuedJob[]
  readonly keys: readonly string[]
}

export function rowsOf(data: MonitorData | null, filter: string): Rows {
  const queues = data === null ? [] : queuesShown(data)
  const running = (data?.status.active_jobs ?? []).filter((job) => isLike(filter, job, [job.agent_id, job.status]))
  const waiting = (data?.status.queued_jobs ?? []).filter((job) =>
    isLike(filter, job, [job.priority, job.conflict_reason, job.blocked_by_job_id]),
  )
  const keys = [
    ...queues.map(({ name }) => queueKey(name)),
    ...[...running, ...waiting].map(({ job_id: id }) => jobKey(id)),
  ]
  return { queues, running, waiting, keys }
}

export function queueKey(name: string): string {
  return `queue ${name}`
}

export function jobKey(id: string): string {
  return `job ${id}`
}

/** The index of the chosen row: at first a job, for that is what one acts upon. */
export function selectionIn({ selected, selectedIndex }: View, { keys }: Rows): number {
  const last = Math.max(0, keys.length - 1)
  if (selected === null)
    return Math.max(
      0,
      keys.findIndex((key) => key.startsWith('job ')),
    )
  const index = keys.indexOf(selected)
  return index >= 0 ? index : Math.min(selectedIndex, last)
}

export function isFitting(filter: string, texts: readonly (string | null)[]): boolean {
  const text = texts.join(' ').toLowerCase()
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function isLike(filter: string, job: ActiveJob | QueuedJob, more: readonly (string | null)[]): boolean {
  return isFitting(filter, [job.job_id, job.task, job.user, job.queue, ...job.models, ...more])
}

/** Those with jobs, the fullest first, and those that a person has paused; of none of them, all. */
function queuesShown({ status, queues }: MonitorData): readonly QueueView[] {
  const depth = new Map<string, number>()
  for (const { queue, status: state, count } of status.counts) {
    depth.set(queue, (depth.get(queue) ?? 0) + (state === 'pending' ? count : 0.001))
  }
  const busy = queues.filter(({ name, is_paused: isPaused }) => depth.has(name) || isPaused)
  return (busy.length === 0 ? queues : busy).toSorted(
    (one, other) => (depth.get(other.name) ?? 0) - (depth.get(one.name) ?? 0) || one.name.localeCompare(other.name),
  )
}

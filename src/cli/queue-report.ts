import type { ActiveJob, QueuedJob, QueueStatus } from '../domain/queue-status.ts'
import { showProgress } from './job-words.ts'
import { type Column, renderTable } from './table.ts'
import type { Terminal } from './terminal.ts'
import { showDuration, showSince, showTime } from './times.ts'

/** Without --verbose, so many of each; the summary says how many there are. */
const shownAtFirst = 10

/** `queue status` for a person: a line of figures, what runs, what waits and why. */
export function renderQueueStatus(
  status: QueueStatus,
  options: { readonly isVerbose: boolean },
  terminal: Terminal,
): string {
  const shown = options.isVerbose ? Number.POSITIVE_INFINITY : shownAtFirst
  const sections = [
    [
      renderSummary(status),
      ...[...status.backpressure.reasons, ...status.backlog.flatMap(fullness)].map((line) =>
        terminal.paint('yellow', line),
      ),
    ].join('\n'),
    section('Running', status.active_jobs, { shown, total: status.active.slots_used }, renderActive, terminal),
    section('Waiting', status.queued_jobs, { shown, total: status.queue_length }, renderQueued, terminal),
  ]
  if (options.isVerbose) sections.push(renderLocks(status, terminal), renderCounts(status, terminal))
  return sections.filter((text) => text !== '').join('\n\n')
}

/** Which jobs are refused now, or dropped, and why. */
function fullness({ scope, is_refusing: isRefusing, reason }: QueueStatus['backlog'][number]): readonly string[] {
  if (reason === null) return []
  const what = scope === 'all' ? 'the system' : scope.replace(':', ' ')
  return [`${what} ${isRefusing ? 'refuses jobs' : 'is full'}: ${reason}`]
}

export function renderSummary(status: QueueStatus): string {
  const { active, agents, pending, oldest_wait_seconds: oldest } = status
  const { total, ...named } = pending
  const byPriority = Object.entries(named).flatMap(([name, count]) => (count > 0 ? [`${name} ${count}`] : []))
  return [
    `${active.slots_used} of ${active.slots_max} slots busy`,
    ...(agents.suspended > 0 ? [`${agents.suspended} of ${agents.total} agents suspended`] : []),
    ...(agents.overloaded > 0 ? [`${agents.overloaded} of ${agents.total} agents above the ceiling`] : []),
    `${status.is_estimated ? 'about ' : ''}${total} waiting${byPriority.length === 0 ? '' : ` (${byPriority.join(', ')})`}`,
    ...(oldest === null || total === 0 ? [] : [`oldest for ${showDuration(oldest)}`]),
  ].join(' · ')
}

function section<Row>(
  title: string,
  rows: readonly Row[],
  limits: { readonly shown: number; readonly total: number },
  render: (rows: readonly Row[], terminal: Terminal) => string,
  terminal: Terminal,
): string {
  if (rows.length === 0) return ''
  const shown = rows.slice(0, limits.shown)
  const left = limits.total - shown.length
  const more = left > 0 ? `\n… and ${left} more${rows.length > shown.length ? ' (--verbose)' : ''}` : ''
  return `${terminal.paint('bold', title)}\n${render(shown, terminal)}${more}`
}

const jobColumn: Column = { title: 'JOB', narrow: 'keep' }

function renderActive(jobs: readonly ActiveJob[], terminal: Terminal): string {
  return renderTable(
    [
      jobColumn,
      { title: 'TASK' },
      { title: 'USER' },
      { title: 'MODELS' },
      { title: 'AGENT' },
      { title: 'FOR', align: 'right', narrow: 'keep' },
      { title: 'PROGRESS' },
    ],
    jobs.map((job) => [
      job.job_id,
      job.task,
      job.user ?? '',
      job.models.join(' '),
      job.agent_id ?? '',
      showSince(job.started_at ?? job.assigned_at) ?? '',
      showProgress(job) ?? job.status,
    ]),
    terminal,
  )
}

function renderQueued(jobs: readonly QueuedJob[], terminal: Terminal): string {
  return renderTable(
    [
      jobColumn,
      { title: 'TASK' },
      { title: 'USER' },
      { title: 'MODELS' },
      { title: 'PRIO', narrow: 'keep' },
      { title: 'FOR', align: 'right', narrow: 'keep' },
      { title: 'BLOCKED BY', narrow: 'keep' },
      { title: 'WHY', narrow: 'wrap' },
    ],
    jobs.map((job) => [
      job.job_id,
      job.task,
      job.user ?? '',
      job.models.join(' '),
      job.priority,
      showSince(job.queued_at) ?? '',
      job.blocked_by_job_id ?? '',
      job.conflict_reason ?? '',
    ]),
    terminal,
  )
}

function renderLocks({ user_locks: locks }: QueueStatus, terminal: Terminal): string {
  return section('Locks', locks.details, { shown: locks.details.length, total: locks.active }, renderLockRows, terminal)
}

function renderLockRows(locks: QueueStatus['user_locks']['details'], terminal: Terminal): string {
  return renderTable(
    [{ title: 'USER' }, jobColumn, { title: 'SINCE', narrow: 'keep' }, { title: 'AT MOST UNTIL', narrow: 'keep' }],
    locks.map((lock) => [lock.user, lock.task_id, showTime(lock.acquired_at) ?? '', showTime(lock.expires_at) ?? '']),
    terminal,
  )
}

function renderCounts({ counts }: QueueStatus, terminal: Terminal): string {
  return section('Counts', counts, { shown: counts.length, total: counts.length }, renderCountRows, terminal)
}

function renderCountRows(counts: QueueStatus['counts'], terminal: Terminal): string {
  return renderTable(
    [{ title: 'QUEUE' }, { title: 'STATUS' }, { title: 'JOBS', align: 'right' }],
    counts.map(({ queue, status, count }) => [queue, status, String(count)]),
    terminal,
  )
}

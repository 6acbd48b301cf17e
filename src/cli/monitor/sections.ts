import type { AgentView } from '../../domain/agent-view.ts'
import { type PriorityName, priorityNames } from '../../domain/priority.ts'
import type { ActiveJob, QueuedJob } from '../../domain/queue-status.ts'
import type { QueueView } from '../../domain/queue-view.ts'
import { showProgress } from '../job-words.ts'
import type { Painter } from '../terminal.ts'
import { showSince } from '../times.ts'
import { paintLevel } from './alarm-colours.ts'
import { bar, type CellColumn, cut, fill, inColumns } from './cells.ts'
import type { MonitorData } from './monitor-data.ts'
import { isFitting, jobKey, queueKey, type Rows } from './view.ts'

/** A part of the screen: a title, a head that stays, and rows of which some may be chosen. */
export interface Section {
  readonly title: string
  readonly head: string | null
  readonly rows: readonly SectionRow[]
  /** What stands there when there is no row. */
  readonly whenEmpty: string
}

export interface SectionRow {
  readonly key: string | null
  readonly line: string
}

export interface SectionOptions {
  readonly data: MonitorData
  readonly rows: Rows
  readonly filter: string
  /** Of a row, without the mark before it. */
  readonly width: number
  readonly painter: Painter
}

export function allSections(options: SectionOptions): readonly Section[] {
  return [depth(options), running(options), waiting(options), agents(options)]
}

/** Queues on the left, priorities on the right; each side's bars are drawn to the scale of its fullest. */
function depth({ data, rows, width, painter }: SectionOptions): Section {
  const { status } = data
  const half = Math.max(1, Math.floor((width - 3) / 2))
  const waitingIn = (name: string) => countOf(data, name, ['pending'])
  const fullest = Math.max(1, ...rows.queues.map(({ name }) => waitingIn(name)))
  const names = Math.min(14, Math.max(...rows.queues.map(({ name }) => name.length), 4))
  const queueLine = (queue: QueueView) => {
    const count = waitingIn(queue.name)
    const runs = countOf(data, queue.name, ['assigned', 'running'])
    const notes = [`${count}`, ...(runs > 0 ? [`${runs} run`] : []), ...(queue.is_paused ? ['paused'] : [])].join(' · ')
    return barLine(
      { name: fill(cut(queue.name, names), names), fraction: count / fullest, notes, width: half },
      (text) =>
        queue.is_paused ? painter.paint('yellow', text) : paintLevel(status.backpressure.level, text, painter),
    )
  }
  const most = Math.max(1, ...priorityNames.map((name) => status.pending[name]))
  const priorityLine = (name: PriorityName) =>
    barLine(
      { name: fill(name, 8), fraction: status.pending[name] / most, notes: `${status.pending[name]}`, width: half },
      (text) => painter.paint('cyan', text),
    )
  const right = priorityNames.map(priorityLine)
  const count = Math.max(rows.queues.length, right.length)
  return {
    title: 'Waiting by queue and priority',
    head: null,
    whenEmpty: 'no queues',
    rows: Array.from({ length: count }, (_, n) => {
      const queue = rows.queues[n]
      const left = queue === undefined ? ' '.repeat(half) : fill(queueLine(queue), half)
      return {
        key: queue === undefined ? null : queueKey(queue.name),
        line: right[n] === undefined ? left.trimEnd() : `${left} │ ${right[n]}`,
      }
    }),
  }
}

interface BarLine {
  readonly name: string
  readonly fraction: number
  readonly notes: string
  readonly width: number
}

const notesWidth = 18

function barLine({ name, fraction, notes, width }: BarLine, paint: (text: string) => string): string {
  const room = Math.max(
    3,
    width - name.length - 2 - Math.max(notes.length, Math.min(notesWidth, Math.floor(width / 3))),
  )
  return cut(`${name} ${paint(bar(fraction, room))} ${notes}`, width)
}

function running({ data, rows, width, painter, filter }: SectionOptions): Section {
  const now = new Date(data.status.taken_at)
  const table = inColumns<ActiveJob>(
    [
      { title: 'JOB', isWhole: true, text: (job) => job.job_id },
      { title: 'TASK', text: (job) => job.task },
      { title: 'USER', text: (job) => job.user ?? '' },
      { title: 'MODELS', text: (job) => job.models.join(' ') },
      { title: 'AGENT', text: (job) => job.agent_id },
      {
        title: 'FOR',
        align: 'right',
        isWhole: true,
        text: (job) => showSince(job.started_at ?? job.assigned_at, now) ?? '',
      },
      { title: 'PROGRESS', text: progressOf, paint: (text) => painter.paint('cyan', text) },
    ],
    rows.running,
    width,
  )
  return {
    title: titled('Running', rows.running.length, data.status.active.slots_used, filter),
    head: table.head,
    whenEmpty: filter === '' ? 'nothing runs' : 'nothing that runs fits the filter',
    rows: rows.running.map((job, n) => ({ key: jobKey(job.job_id), line: table.lines[n] ?? '' })),
  }
}

function progressOf(job: ActiveJob): string {
  return job.progress === null ? job.status : `${bar(job.progress / 100, 8)} ${showProgress(job)}`
}

function waiting({ data, rows, width, painter, filter }: SectionOptions): Section {
  const now = new Date(data.status.taken_at)
  const table = inColumns<QueuedJob>(
    [
      { title: 'JOB', isWhole: true, text: (job) => job.job_id },
      { title: 'TASK', text: (job) => job.task },
      { title: 'USER', text: (job) => job.user ?? '' },
      { title: 'PRIO', isWhole: true, text: (job) => job.priority },
      { title: 'FOR', align: 'right', isWhole: true, text: (job) => showSince(job.queued_at, now) ?? '' },
      {
        title: 'WHY',
        text: (job) => job.conflict_reason ?? (job.blocked_by_job_id === null ? '' : `behind ${job.blocked_by_job_id}`),
        paint: (text) => painter.paint('yellow', text),
      },
    ],
    rows.waiting,
    width,
  )
  const about = data.status.is_estimated ? 'about ' : ''
  return {
    title: titled('Waiting', rows.waiting.length, data.status.queue_length, filter, about),
    head: table.head,
    whenEmpty: filter === '' ? 'nothing waits' : 'nothing that waits fits the filter',
    rows: rows.waiting.map((job, n) => ({ key: jobKey(job.job_id), line: table.lines[n] ?? '' })),
  }
}

function agents({ data, width, painter, filter }: SectionOptions): Section {
  const now = new Date(data.status.taken_at)
  const why = new Map(data.allocation.agents.map(({ id, why_none: reason }) => [id, reason]))
  const shown = data.agents.agents
    .filter((agent) => isFitting(filter, [agent.id, agent.state, agent.load_level, agent.host, ...agent.queues]))
    .toSorted((one, other) => other.load_score - one.load_score || one.id.localeCompare(other.id))
  const columns: readonly CellColumn<AgentView>[] = [
    { title: 'AGENT', isWhole: true, text: ({ id }) => id },
    {
      title: 'STATE',
      text: ({ state }) => state,
      paint: (text, { state }) => (state === 'active' ? text : painter.paint('yellow', text)),
    },
    { title: 'JOBS', align: 'right', isWhole: true, text: (agent) => `${agent.active_jobs}/${agent.slots}` },
    {
      title: 'LOAD',
      isWhole: true,
      text: (agent) =>
        `${bar(agent.load_score / 100, 8)} ${String(Math.round(agent.load_score)).padStart(3)} ${agent.load_level}`,
      paint: (text, agent) => paintLevel(agent.load_level, text, painter),
    },
    { title: 'CPU', align: 'right', isWhole: true, text: ({ cpu_percent: cpu }) => percent(cpu) },
    { title: 'MEM', align: 'right', isWhole: true, text: ({ memory_percent: memory }) => percent(memory) },
    { title: 'HEARD', align: 'right', isWhole: true, text: (agent) => showSince(agent.last_heartbeat_at, now) ?? '' },
    { title: 'NO MORE BECAUSE', text: ({ id }) => why.get(id) ?? '' },
  ]
  const table = inColumns(columns, shown, width)
  return {
    title: titled('Agents', shown.length, data.agents.agents.length, filter),
    head: table.head,
    whenEmpty: filter === '' ? 'no agent lives' : 'no agent fits the filter',
    rows: shown.map((_, n) => ({ key: null, line: table.lines[n] ?? '' })),
  }
}

/** The status lists the first hundred of each; a filter looks among those, and the title says so. */
function titled(name: string, shown: number, total: number, filter: string, about = ''): string {
  if (filter === '') return `${name} ${about}${total}`
  return `${name} ${about}${total}, ${shown} with "${filter}"`
}

function countOf({ status }: MonitorData, queue: string, states: readonly string[]): number {
  return status.counts
    .filter((row) => row.queue === queue && states.includes(row.status))
    .reduce((sum, { count }) => sum + count, 0)
}

function percent(value: number | null): string {
  return value === null ? '' : `${Math.round(value)} %`
}

import { isFinished } from '../../domain/job.ts'
import type { JobDetails, MonitorData } from './monitor-data.ts'
import { jobKey, type Question, queueKey, type Rows, rowsOf, selectionIn, type View } from './view.ts'

/** What a press of a key says: its name, or the sign that it writes. */
export type Key =
  | { readonly name: 'up' | 'down' | 'pageup' | 'pagedown' | 'home' | 'end' }
  | { readonly name: 'enter' | 'escape' | 'backspace' | 'interrupt' }
  | { readonly sign: string }

/** What is asked of the world outside the screen. */
export type Wish = { readonly kind: 'leave' } | { readonly kind: 'look' } | Change

export type Change =
  | { readonly kind: 'cancel'; readonly jobId: string }
  | { readonly kind: 'pause' | 'resume'; readonly queue: string }

export interface Pressed {
  readonly view: View
  readonly wish: Wish | null
}

/** What was on the screen when the key was pressed. */
export interface Seen {
  readonly data: MonitorData | null
  readonly details: JobDetails | null
}

const pageOf = 10

export function pressKey(view: View, key: Key, seen: Seen): Pressed {
  if ('name' in key && key.name === 'interrupt') return leaving(view)
  if (view.question !== null) return answer(view, view.question, key)
  if (view.isTyping) return only(type(view, key))
  if ('sign' in key && key.sign === 'q') return leaving(view)
  if (view.page === 'help') return only({ ...view, page: view.jobId === null ? 'queue' : 'job', scroll: 0 })
  if ('sign' in key && key.sign === '?') return only({ ...view, page: 'help', scroll: 0 })
  if ('sign' in key && key.sign === 'r') return { view, wish: { kind: 'look' } }
  const rows = rowsOf(seen.data, view.filter)
  if ('sign' in key && (key.sign === 'c' || key.sign === 'p')) {
    const question = key.sign === 'c' ? askToCancel(view, rows, seen) : askToPause(view, rows, seen)
    return only({ ...view, question })
  }
  return only(view.page === 'job' ? read(view, key) : choose(view, key, rows))
}

/** Several signs that came at once were pasted, or typed ahead: they never answer a question that they have raised. */
export function pressKeys(view: View, keys: readonly Key[], seen: Seen): Pressed {
  let pressed = only(view)
  for (const key of keys) {
    const before = pressed.view.question
    pressed = pressKey(pressed.view, key, seen)
    if (pressed.wish !== null || (pressed.view.question !== null && pressed.view.question !== before)) break
  }
  return pressed
}

function only(view: View): Pressed {
  return { view, wish: null }
}

function leaving(view: View): Pressed {
  return { view, wish: { kind: 'leave' } }
}

/** Cancelling is asked twice: a running job's work is lost, and the row under the finger may have moved. */
function answer(view: View, question: Question, key: Key): Pressed {
  const isYes = 'sign' in key && key.sign.toLowerCase() === 'y'
  const without = { ...view, question: null }
  if (!isYes) return only(without)
  if (question.about !== 'cancel') return { view: without, wish: { kind: question.about, queue: question.queue } }
  if (!question.isLast) return only({ ...view, question: { ...question, isLast: true } })
  return { view: without, wish: { kind: 'cancel', jobId: question.jobId } }
}

function type(view: View, key: Key): View {
  if ('sign' in key) return filtered(view, view.filter + key.sign)
  if (key.name === 'backspace') return filtered(view, [...view.filter].slice(0, -1).join(''))
  if (key.name === 'escape') return { ...filtered(view, ''), isTyping: false }
  return key.name === 'enter' || key.name === 'down' || key.name === 'up' ? { ...view, isTyping: false } : view
}

/** With other rows another one is chosen: the first job of those. */
function filtered(view: View, filter: string): View {
  return { ...view, filter, selected: null, selectedIndex: 0 }
}

function read(view: View, key: Key): View {
  if ('name' in key && (key.name === 'escape' || key.name === 'backspace' || key.name === 'enter')) {
    return { ...view, page: 'queue', jobId: null, scroll: 0 }
  }
  const step = stepOf(key)
  return step === null ? view : { ...view, scroll: Math.max(0, view.scroll + step) }
}

function choose(view: View, key: Key, rows: Rows): View {
  if ('sign' in key && key.sign === '/') return { ...view, isTyping: true }
  if ('name' in key && key.name === 'escape') return filtered(view, '')
  const index = selectionIn(view, rows)
  const chosen = rows.keys[index]
  if ('name' in key && key.name === 'enter') {
    const jobId = chosen === undefined ? null : jobIdOf(chosen, rows)
    return jobId === null ? view : { ...select(view, rows, index), page: 'job', jobId, scroll: 0 }
  }
  const step = stepOf(key)
  return step === null ? view : select(view, rows, index + step)
}

/** How many rows a key moves by; null for one that does not move. */
function stepOf(key: Key): number | null {
  const name = 'name' in key ? key.name : ({ j: 'down', k: 'up', g: 'home', G: 'end' } as const)[key.sign]
  switch (name) {
    case 'up':
      return -1
    case 'down':
      return 1
    case 'pageup':
      return -pageOf
    case 'pagedown':
      return pageOf
    case 'home':
      return -farAway
    case 'end':
      return farAway
    default:
      return null
  }
}

const farAway = 1_000_000

function select(view: View, { keys }: Rows, wanted: number): View {
  const index = Math.min(Math.max(0, wanted), Math.max(0, keys.length - 1))
  return { ...view, selected: keys[index] ?? null, selectedIndex: index }
}

function askToCancel(view: View, rows: Rows, { data, details }: Seen): Question | null {
  const jobId = view.page === 'job' ? view.jobId : jobIdOf(rows.keys[selectionIn(view, rows)] ?? '', rows)
  if (jobId === null) return null
  const opened = details?.job.id === jobId ? details.job : null
  if (opened !== null && isFinished(opened.status)) return null
  const active = data?.status.active_jobs.find((job) => job.job_id === jobId)
  const job = opened ?? active ?? data?.status.queued_jobs.find((queued) => queued.job_id === jobId)
  if (job === undefined) return { about: 'cancel', jobId, what: '', isLast: false }
  const state = 'status' in job ? job.status : 'pending'
  return {
    about: 'cancel',
    jobId,
    what: `${job.task}${job.user === null ? '' : ` of ${job.user}`}, ${state}`,
    isLast: false,
  }
}

/** The chosen queue, or the queue of the chosen job. */
function askToPause(view: View, rows: Rows, { data, details }: Seen): Question | null {
  const chosen = rows.keys[selectionIn(view, rows)]
  const queued = [...rows.running, ...rows.waiting].find(({ job_id: id }) => jobKey(id) === chosen)?.queue
  const opened = details?.job.id === view.jobId ? details?.job.queue : undefined
  const name =
    view.page === 'job' ? opened : (queued ?? rows.queues.find((queue) => queueKey(queue.name) === chosen)?.name)
  const queue = data?.queues.find((candidate) => candidate.name === name)
  return queue === undefined ? null : { about: queue.is_paused ? 'resume' : 'pause', queue: queue.name }
}

function jobIdOf(key: string, rows: Rows): string | null {
  return [...rows.running, ...rows.waiting].find(({ job_id: id }) => jobKey(id) === key)?.job_id ?? null
}

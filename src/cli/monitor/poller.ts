import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError, isInterlockError } from '../../domain/errors.ts'
import type { Backend } from '../backend.ts'
import type { Change } from './keys.ts'
import { type JobDetails, type MonitorData, readMonitorData } from './monitor-data.ts'
import { OutputTail } from './output-tail.ts'
import { printable } from './printable.ts'
import type { Notice } from './scene.ts'

export type News =
  | { readonly kind: 'data'; readonly data: MonitorData }
  | { readonly kind: 'details'; readonly details: JobDetails }
  | { readonly kind: 'details-trouble'; readonly jobId: string; readonly text: string }
  | { readonly kind: 'trouble'; readonly text: string }

export interface PollerOptions {
  open(): Promise<Backend>
  readonly refreshSeconds: number
  onNews(news: News): void
  readonly signal: AbortSignal
}

/**
 * Looks every few seconds, at once when it is told to, and does what is wished. A server that is away is news like any
 * other: it is asked again at the next look, from the opening of the connection on where that had failed.
 */
export class Poller {
  readonly #options: PollerOptions
  #backend: Backend | null = null
  #tail: OutputTail | null = null
  #waking = new AbortController()

  constructor(options: PollerOptions) {
    this.#options = options
  }

  /** Until the signal is aborted. */
  async run(): Promise<void> {
    const { signal, refreshSeconds } = this.#options
    while (!signal.aborted) {
      this.#waking = new AbortController()
      await this.#look()
      await sleep(refreshSeconds * 1000, undefined, { signal: AbortSignal.any([signal, this.#waking.signal]) }).catch(
        () => undefined,
      )
    }
    await this.#backend?.close()
  }

  look(): void {
    this.#waking.abort()
  }

  /** Brings the details of this job from now on, or of none. */
  watch(jobId: string | null): void {
    if (jobId === (this.#tail?.jobId ?? null)) return
    this.#tail = jobId === null ? null : new OutputTail(jobId)
    this.look()
  }

  /** What came of it, in words. */
  async change(change: Change): Promise<Notice> {
    try {
      const backend = this.#backend
      if (backend === null) throw new InterlockError('unavailable', 'nothing answers yet')
      return { text: printable(await carryOut(change, backend)), isBad: false }
    } catch (error) {
      return { text: printable(textOf(error)), isBad: true }
    } finally {
      this.look()
    }
  }

  async #look(): Promise<void> {
    const { onNews, open, signal } = this.#options
    try {
      this.#backend ??= await open()
      const backend = this.#backend
      onNews({ kind: 'data', data: printable(await readMonitorData(backend)) })
      if (this.#tail !== null) onNews(await lookAtJob(backend, this.#tail))
    } catch (error) {
      if (!signal.aborted) onNews({ kind: 'trouble', text: printable(textOf(error)) })
    }
  }
}

async function lookAtJob(backend: Backend, tail: OutputTail): Promise<News> {
  const { jobId } = tail
  try {
    const [job, explanation, output] = await Promise.all([
      backend.getJob(jobId),
      backend.explainJob(jobId),
      tail.read(backend),
    ])
    const requests = job.status === 'running' ? await backend.requests({ job: jobId }) : []
    return { kind: 'details', details: { ...printable({ job, explanation, requests }), output } }
  } catch (error) {
    if (isInterlockError(error, 'unavailable')) throw error
    return { kind: 'details-trouble', jobId, text: printable(textOf(error)) }
  }
}

async function carryOut(change: Change, backend: Backend): Promise<string> {
  if (change.kind === 'cancel') {
    const { status } = await backend.changeJob(change.jobId, 'cancel', 'cancelled in the monitor')
    return `${change.jobId} ${status}`
  }
  const isPaused = change.kind === 'pause'
  await backend.changeQueue(change.queue, { is_paused: isPaused })
  return `queue ${change.queue} ${isPaused ? 'paused' : 'resumed'}`
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ')
}

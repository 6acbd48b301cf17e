import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import type { AttemptStore, HeldJob, OutputChunk } from '../store/attempts.ts'
import { within } from '../store/deadline.ts'
import type { AgentLog } from './agent-log.ts'
import type { OutputStream } from './keeper-messages.ts'

export interface ReportOptions {
  readonly job: HeldJob
  readonly store: Pick<AttemptStore, 'appendOutput' | 'reportProgress' | 'reportStep' | 'heartbeatJob'>
  readonly log: AgentLog
  /** Between two batches; 200 ms unless set. */
  readonly batchMs?: number
  /** The token was refused. */
  readonly onStale: () => void
  /** More waits to be sent than ought to: let the process wait in its write, until told that it is less. */
  readonly onFull: (isFull: boolean) => void
}

const chunkBytesMax = 256 * 1024
const callBytesMax = 1024 * 1024
const callChunksMax = 500
const pendingBytesMax = 1024 * 1024
const callMsMax = 10_000
const longestPauseMs = 2000
const pendingStepsMax = 100
const heartbeatMs = 1000

/** Progress and output of one attempt, on their way to the database: in batches, in order, in bounded memory. */
export class AttemptReport {
  readonly #options: ReportOptions
  readonly #batchMs: number
  readonly #ending = new AbortController()
  #chunks: OutputChunk[] = []
  #pendingBytes = 0
  #progress: { readonly percent: number; readonly description: string | null } | null = null
  #steps: readonly string[] = []
  #sending: Promise<void> | null = null
  #isAlive = false
  #isFull = false
  #isCut = false
  #isOver = false
  #failures = 0

  constructor(options: ReportOptions) {
    this.#options = options
    this.#batchMs = options.batchMs ?? 200
  }

  output(stream: OutputStream, lines: string): void {
    if (this.#isOver) return
    // Nobody keeps it any more; that there is some is a sign of life all the same.
    if (this.#isCut) {
      this.heartbeat()
      return
    }
    const last = this.#chunks.at(-1)
    if (last?.stream === stream && last.lines.length + lines.length < chunkBytesMax) {
      this.#chunks[this.#chunks.length - 1] = { stream, lines: `${last.lines}\n${lines}` }
    } else this.#chunks.push({ stream, lines })
    this.#pendingBytes += Buffer.byteLength(lines) + 1
    this.#setFull(this.#pendingBytes > pendingBytesMax)
    this.#begin(this.#batchMs)
  }

  /** The latest wins; what it replaced before it was sent is nobody's loss. */
  progress(percent: number, description: string | null): void {
    if (this.#isOver) return
    this.#progress = { percent, description: description ?? this.#progress?.description ?? null }
    this.#begin(this.#batchMs)
  }

  /** Each is sent, in order, so that the log has them all; of a run that says nothing else, the last hundred. */
  step(name: string): void {
    if (this.#isOver) return
    this.#steps = [...this.#steps, name].slice(-pendingStepsMax)
    this.#begin(this.#batchMs)
  }

  /** The job is alive, and has nothing else to say; progress and output say so themselves. */
  heartbeat(): void {
    if (this.#isOver) return
    this.#isAlive = true
    this.#begin(Math.max(this.#batchMs, heartbeatMs))
  }

  /** Sends what is left, for at most so long; then nothing more is sent. */
  async end(limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs
    this.#ending.abort()
    for (;;) {
      const leftMs = deadlineMs - performance.now()
      if (!this.#hasMore && this.#sending === null) break
      if (this.#isOver || leftMs <= 0) break
      this.#begin(0)
      await within(leftMs, 'the last of the output', this.#sending ?? Promise.resolve()).catch(() => undefined)
      if (this.#failures > 0) await sleep(Math.min(this.#batchMs, leftMs))
    }
    if (this.#hasMore && !this.#isOver) {
      this.#options.log.warn({ jobId: this.#options.job.jobId }, 'the last of its output was not kept')
    }
    this.#isOver = true
  }

  /** Nothing more is sent. */
  abandon(): void {
    this.#isOver = true
    this.#chunks = []
    this.#progress = null
    this.#steps = []
  }

  get #hasMore(): boolean {
    return this.#chunks.length > 0 || this.#progress !== null || this.#steps.length > 0
  }

  #begin(waitMs: number): void {
    this.#sending ??= this.#send(waitMs).finally(() => {
      this.#sending = null
      if (this.#hasMore && !this.#isOver && !this.#ending.signal.aborted)
        this.#begin(Math.min(this.#batchMs * 2 ** this.#failures, longestPauseMs))
      else if (this.#isAlive) this.heartbeat()
    })
  }

  async #send(waitMs: number): Promise<void> {
    const { job, store } = this.#options
    await sleep(waitMs, undefined, { signal: this.#ending.signal }).catch(() => undefined)
    if (this.#isOver) return
    const progress = this.#progress
    const isHeartbeat = this.#isAlive && progress === null && this.#chunks.length === 0
    this.#progress = null
    this.#isAlive = false
    try {
      if (isHeartbeat) await within(callMsMax, 'a heartbeat of the job', store.heartbeatJob(job))
      if (progress !== null) {
        await within(callMsMax, 'reporting progress', store.reportProgress(job, progress.percent, progress.description))
      }
      await this.#sendSteps()
      await this.#sendOutput()
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      if (isInterlockError(error, 'unavailable')) {
        this.#progress ??= progress
        this.#isAlive ||= isHeartbeat
      } else this.#refuse(error)
    }
  }

  async #sendSteps(): Promise<void> {
    const { job, store } = this.#options
    for (let [step] = this.#steps; step !== undefined; [step] = this.#steps) {
      this.#steps = this.#steps.slice(1)
      try {
        await within(callMsMax, 'reporting a step', store.reportStep(job, step))
      } catch (error) {
        if (isInterlockError(error, 'unavailable')) this.#steps = [step, ...this.#steps]
        // A word that its workflow does not know is its author's mistake, and no reason to lose progress and output.
        if (!isInterlockError(error, 'invalid_argument')) throw error
        this.#options.log.warn({ jobId: job.jobId, step, error }, 'a step was refused')
      }
    }
  }

  async #sendOutput(): Promise<void> {
    const { job, store } = this.#options
    const batch = this.#chunks.slice(0, countOf(this.#chunks))
    if (batch.length === 0) return
    // Taken before it is sent: what comes meanwhile must not grow a chunk that is on its way.
    this.#chunks = this.#chunks.slice(batch.length)
    try {
      const { isCut } = await within(callMsMax, 'keeping output', store.appendOutput(job, batch))
      this.#isCut = isCut
    } catch (error) {
      if (isInterlockError(error, 'unavailable')) this.#chunks = [...batch, ...this.#chunks]
      throw error
    } finally {
      this.#pendingBytes = this.#chunks.reduce((bytes, { lines }) => bytes + Buffer.byteLength(lines) + 1, 0)
      this.#setFull(this.#pendingBytes > pendingBytesMax)
    }
    if (this.#isCut) this.#chunks = []
  }

  #refuse(error: unknown): void {
    const { job, log, onStale } = this.#options
    if (isInterlockError(error, 'stale_token') || isInterlockError(error, 'job_not_found')) {
      this.abandon()
      onStale()
    } else log.error({ jobId: job.jobId, error }, 'output or progress was refused and is lost')
  }

  #setFull(isFull: boolean): void {
    if (isFull === this.#isFull) return
    this.#isFull = isFull
    this.#options.onFull(isFull)
  }
}

// As many as one call takes.
function countOf(chunks: readonly OutputChunk[]): number {
  let bytes = 0
  let count = 0
  for (const { lines } of chunks) {
    bytes += Buffer.byteLength(lines)
    if (count > 0 && (bytes > callBytesMax || count >= callChunksMax)) break
    count += 1
  }
  return count
}

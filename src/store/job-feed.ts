import { setTimeout as sleep } from 'node:timers/promises'
import type { JobId } from '../domain/ids.ts'
import type { Database } from './database.ts'
import { JobWatch } from './job-watch.ts'
import { Listener } from './listener.ts'
import type { Queryable } from './queryable.ts'

export interface JobFeedOptions {
  readonly database: Queryable
  /** Where it opens a connection of its own to hear notifications; without, it only looks. */
  readonly hearsFrom?: Database
  /**
   * How often it looks while somebody waits for an end; 0.05 unless set. The verbs need not notify: a NOTIFY serialises
   * commits and halves what a busy server finishes, while one look at a hundred awaited jobs takes it a fifth of a
   * millisecond. A notification that does come is heard at once.
   */
  readonly pollSeconds?: number
  /** How often it looks while somebody merely follows a job's output; 0.2 unless set. */
  readonly outputPollSeconds?: number
  readonly onLost?: (error: unknown) => void
}

/**
 * Tells any number of callers when a job has ended or has written something, over one connection and one poll for all
 * of them. A connection a waiter would let a hundred idle waiters lock everybody else out of the database.
 */
export class JobFeed {
  readonly #database: Queryable
  readonly #listener: Listener | null
  readonly #pollMs: number
  readonly #outputPollMs: number
  readonly #watches = new Map<JobId, Set<JobWatch>>()
  #timer: NodeJS.Timeout | null = null
  #timerDueMs = 0
  #looking: Promise<void> | null = null
  readonly #stopping = new AbortController()

  constructor(options: JobFeedOptions) {
    this.#database = options.database
    this.#pollMs = (options.pollSeconds ?? 0.05) * 1000
    this.#outputPollMs = (options.outputPollSeconds ?? 0.2) * 1000
    const { hearsFrom, onLost } = options
    this.#listener =
      hearsFrom === undefined
        ? null
        : new Listener({
            database: hearsFrom,
            channels: { interlock_job: (id) => this.#tell(id as JobId, 'ended') },
            onListening: () => this.#look(),
            ...(onLost === undefined ? {} : { onLost }),
          })
  }

  get isListening(): boolean {
    return this.#listener?.isListening === true
  }

  start(): void {
    this.#listener?.start()
  }

  /** Ends every watch with `closed`. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const watches of this.#watches.values()) for (const watch of watches) watch.tell('closed')
    if (this.#timer !== null) clearTimeout(this.#timer)
    await Promise.all([this.#listener?.stop(), this.#looking])
  }

  watch(id: JobId): JobWatch {
    const watch = new JobWatch(
      (closed) => this.#forget(id, closed),
      () => this.#schedule(),
    )
    const watches = this.#watches.get(id) ?? new Set()
    this.#watches.set(id, watches.add(watch))
    if (this.#stopping.signal.aborted) watch.tell('closed')
    this.#schedule()
    return watch
  }

  #tell(id: JobId, news: 'ended' | 'output'): void {
    for (const watch of this.#watches.get(id) ?? []) watch.tell(news)
  }

  #forget(id: JobId, watch: JobWatch): void {
    const watches = this.#watches.get(id)
    watches?.delete(watch)
    if (watches?.size === 0) this.#watches.delete(id)
  }

  #schedule(): void {
    if (this.#stopping.signal.aborted || this.#watches.size === 0) return
    const watches = [...this.#watches.values()].flatMap((watchers) => [...watchers])
    const isAwaited = watches.some((watch) => watch.afterSeq === null)
    const dueMs = performance.now() + (isAwaited ? this.#pollMs : this.#outputPollMs)
    // A look that is due sooner stays: callers who come one after the other would put it off for ever.
    if (this.#timer !== null && this.#timerDueMs <= dueMs) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerDueMs = dueMs
    this.#timer = setTimeout(() => this.#look(), dueMs - performance.now())
  }

  #look(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#stopping.signal.aborted) return
    // One look at a time: a slow database gets no second question on top of the first.
    this.#looking ??= this.#lookAtWatched().finally(() => {
      this.#looking = null
      this.#schedule()
    })
  }

  async #lookAtWatched(): Promise<void> {
    const open = [...this.#watches].flatMap(([id, watches]) => [...watches].map((watch) => ({ id, watch })))
    if (open.length === 0) return
    const rows = await this.#database
      .query<{ readonly place: number; readonly ended: boolean; readonly written: boolean }>(
        `select w.place::integer as place,
          not exists (select from interlock.jobs as j where j.id = w.job_id and j.status <> 'failed') as ended,
          exists (select from interlock.job_output as o where o.job_id = w.job_id and o.seq > w.after_seq) as written
        from unnest($1::text[], $2::bigint[]) with ordinality as w (job_id, after_seq, place)`,
        [open.map(({ id }) => id), open.map(({ watch }) => watch.afterSeq)],
        'look_at_watched_jobs',
      )
      // A database that is away says nothing now; the waiters have deadlines of their own, and it needs no hammering.
      .catch(() => sleep(1000, [], { signal: this.#stopping.signal }).catch(() => []))
    for (const { place, ended, written } of rows) {
      if (written) open[place - 1]?.watch.tell('output')
      if (ended) open[place - 1]?.watch.tell('ended')
    }
  }
}

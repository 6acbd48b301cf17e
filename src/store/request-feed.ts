import { setTimeout as sleep } from 'node:timers/promises'
import type { Question } from '../domain/question.ts'
import type { ReplyView } from '../domain/question-view.ts'
import type { HeldJob } from './attempts.ts'
import type { Queryable } from './queryable.ts'
import { askRequest, readProgress, readReply, resumeRequest } from './questions.ts'

export interface RequestFeedOptions {
  readonly database: Queryable
  /** How often it looks while somebody waits; 0.2 unless set. A person takes longer. */
  readonly pollSeconds?: number
}

/**
 * Tells any number of callers when a question has its answer, or will have none: by one look for all of them. Jobs may wait
 * for a person for hours; a poll each, or a connection each, would be theirs to pay for by everybody else. Where a job
 * takes again what it gave back, it lends a hand, so that nobody waits for the tick.
 */
export class RequestFeed {
  readonly #database: Queryable
  readonly #pollMs: number
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #stopping = new AbortController()
  #looking: Promise<void> | null = null

  constructor({ database, pollSeconds = 0.2 }: RequestFeedOptions) {
    this.#database = database
    this.#pollMs = pollSeconds * 1000
  }

  /** Ends every wait. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const wakes of this.#waiting.values()) for (const wake of wakes) wake()
    await this.#looking
  }

  /** Resolves when there is something to read, the time is over, or nobody waits any more; which one, a look tells. */
  async settled(
    requestId: string,
    { timeoutSeconds, signal }: { readonly timeoutSeconds?: number; readonly signal: AbortSignal },
  ): Promise<void> {
    if (signal.aborted || this.#stopping.signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = timeoutSeconds === undefined ? null : setTimeout(resolve, timeoutSeconds * 1000)
    const wakes = this.#waiting.get(requestId) ?? new Set()
    this.#waiting.set(requestId, wakes.add(resolve))
    signal.addEventListener('abort', () => resolve(), { once: true })
    this.#begin()
    await promise
    if (timer !== null) clearTimeout(timer)
    wakes.delete(resolve)
    if (wakes.size === 0) this.#waiting.delete(requestId)
  }

  #begin(): void {
    if (this.#waiting.size === 0 || this.#stopping.signal.aborted) return
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      // Somebody may have come between its last look and here.
      this.#begin()
    })
  }

  async #look(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#stopping.signal.aborted) {
      // A database that is away says nothing now; the waiters have deadlines of their own.
      await this.#lookOnce().catch(() =>
        sleep(1000, undefined, { signal: this.#stopping.signal }).catch(() => undefined),
      )
      await sleep(this.#pollMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    }
  }

  async #lookOnce(): Promise<void> {
    for (const { id, is_settled: isSettled, is_granted: isGranted } of await readProgress(this.#database, [
      ...this.#waiting.keys(),
    ])) {
      if (isGranted) await resumeRequest(this.#database, id)
      if (isSettled || isGranted) for (const wake of this.#waiting.get(id) ?? []) wake()
    }
  }
}

/** What a job's holder needs of questions: to ask one, and to wait as long as it takes. */
export function createQuestionStore(database: Queryable, feed: RequestFeed) {
  return {
    ask: (job: HeldJob, question: Question, key: string): Promise<string> => askRequest(database, job, question, key),
    async reply(requestId: string, signal: AbortSignal): Promise<ReplyView> {
      for (;;) {
        const reply = await readReply(database, requestId)
        // Cleared away: whoever asked has been gone for days.
        if (reply === null) return { request_id: requestId, status: 'closed', response: null, fences: {} }
        if (reply.status !== 'open' || signal.aborted) return reply
        await feed.settled(requestId, { signal })
        signal.throwIfAborted()
      }
    },
  }
}

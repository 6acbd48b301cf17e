import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import type { AgentId } from '../domain/ids.ts'
import { type AgentLoad, type HeartbeatAnswer, heartbeatAgent } from '../store/agents.ts'
import type { HeldJob } from '../store/attempts.ts'
import { within } from '../store/deadline.ts'
import type { Queryable } from '../store/queryable.ts'
import type { AgentLog } from './agent-log.ts'
import { Bell } from './bell.ts'
import { monotonicMs } from './monotonic-clock.ts'

export interface HeartbeatOptions {
  readonly agentId: AgentId
  /** A connection that nothing else waits on. */
  readonly database: Queryable
  readonly intervalMs: number
  /** How long an answer is waited for; see answerMsMaxOf(). */
  readonly answerMsMax: number
  readonly held: () => readonly HeldJob[]
  readonly load: () => AgentLoad
  readonly log: AgentLog
  /** `askedAtMs`, of the monotonic clock: from when the extended lease counts at the earliest. */
  readonly onAnswer: (answer: HeartbeatAnswer, askedAtMs: number) => void
  /** The incarnation has ended, by the database. */
  readonly onGone: () => void
}

const againMs = 500
// A burst of notifications is answered by a few heartbeats, not by one each.
const gapMs = 200

/** Says every few seconds that the agent lives, one call at a time; rung, it says so at once. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #bell = new Bell()
  readonly #stopping = new AbortController()
  /** A database that is away is worth one line, not two a second. */
  #isHeard = true
  #running: Promise<void> | null = null

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  ring(): void {
    this.#bell.ring()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { intervalMs } = this.#options
    while (!signal.aborted) {
      const beatAtMs = performance.now()
      const isAnswered = await this.#beat()
      // Not all agents at the same moment; and soon again when it was not heard.
      const sinceMs = performance.now() - beatAtMs
      // From one question to the next: where an answer takes long, waiting for it is part of the interval.
      const waitMs = isAnswered
        ? Math.max(0, intervalMs * (0.9 + Math.random() / 10) - sinceMs)
        : Math.min(againMs, intervalMs)
      if (await this.#bell.wait(waitMs, signal)) await sleep(Math.max(0, beatAtMs + gapMs - performance.now()))
    }
  }

  async #beat(): Promise<boolean> {
    const { agentId, database, answerMsMax, held, load, log, onAnswer, onGone } = this.#options
    const askedAtMs = monotonicMs()
    try {
      const call = heartbeatAgent(database, agentId, held(), load())
      const answer = await within(answerMsMax, 'a heartbeat', call)
      this.#isHeard = true
      if (!this.#stopping.signal.aborted) onAnswer(answer, askedAtMs)
      return true
    } catch (error) {
      if (this.#stopping.signal.aborted) return false
      if (isInterlockError(error, 'agent_not_active')) onGone()
      else if (this.#isHeard || !isInterlockError(error, 'unavailable')) {
        log.warn({ agentId, error }, 'heartbeat was not heard; it is repeated')
      }
      this.#isHeard = false
      return false
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Assignment } from '../domain/assignment.ts'
import { Contention } from '../domain/contention.ts'
import { isInterlockError } from '../domain/errors.ts'
import type { AgentId } from '../domain/ids.ts'
import { absorbTouches, type Claimed, claimJobs, claimLane, isAnythingLeft, listAssignments } from '../store/agents.ts'
import type { Queryable } from '../store/queryable.ts'
import { retryTransient } from '../store/retry.ts'
import type { AgentLog } from './agent-log.ts'
import { Bell } from './bell.ts'

export interface ClaimLoopOptions {
  readonly agentId: AgentId
  readonly database: Queryable
  /** How many more jobs may be claimed; 0 while the agent drains, or is not sure of its right. */
  readonly room: () => number
  readonly log: AgentLog
  readonly onAssignment: (assignment: Assignment) => void
  readonly onGone: () => void
  /** A look has found nothing, and nothing was left for the agent to be found. */
  readonly onNothing?: () => void
}

const tickMs = 1000
const contendedMsMax = 10
// A loop that finds more each time is ended by the next tick; nothing is lost by that.
const roundsMax = 100

/**
 * Finds work: what was assigned to the agent on its behalf, and what it can claim itself. It runs when it is rung (a
 * notification, a job that ended) and every second in any case, so that a bell that nobody heard costs a second.
 */
export class ClaimLoop {
  readonly #options: ClaimLoopOptions
  readonly #bell = new Bell()
  readonly #stopping = new AbortController()
  readonly #contention = new Contention()
  #listedAtMs = Number.NEGATIVE_INFINITY
  /** Somebody said that there is something for it. */
  #isTold = false
  /** It has room that it had not, or nobody has told it anything for a while. */
  #isSeeking = true
  /** A database that is away is worth one line, not one a second. */
  #isAway = false
  /** By the look under way, or the last one. */
  #found = 0
  #running: Promise<void> | null = null

  constructor(options: ClaimLoopOptions) {
    this.#options = options
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Something may have been assigned, or become startable. */
  ring(): void {
    this.#isTold = true
    this.#bell.ring()
  }

  /** There is room for another. */
  ringForRoom(): void {
    this.#isSeeking = true
    this.#bell.ring()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { agentId, log, onGone } = this.#options
    while (!signal.aborted) {
      try {
        await this.#look()
        this.#isAway = false
        await this.#tellIfNothing()
      } catch (error) {
        if (isInterlockError(error, 'agent_not_active')) onGone()
        else if (!this.#isAway) log.warn({ agentId, error }, 'looking for work failed; it is repeated')
        this.#isAway = isInterlockError(error, 'unavailable')
      }
      if (!(await this.#bell.wait(tickMs * (0.9 + Math.random() / 10), signal))) this.#isSeeking = true
    }
  }

  async #look(): Promise<void> {
    const { agentId, database } = this.#options
    const now = performance.now()
    const isTold = this.#isTold
    const isSeeking = this.#isSeeking
    this.#isTold = false
    this.#isSeeking = false
    this.#found = 0
    if (isTold || now - this.#listedAtMs > tickMs / 2) {
      this.#listedAtMs = now
      for (const assignment of await listAssignments(database, agentId)) this.#take(assignment)
    }
    // Who was told has been given what there was by who told it, and need not ask for itself: an absorbing and a claim for
    // each start, at half of what two cores can do.
    if (!isSeeking && this.#found > 0) return
    for (let round = 0; round < roundsMax && this.#mayClaim; round += 1) {
      await absorbTouches(database)
      const limit = this.#options.room()
      if (limit < 1) return
      const claimed = await retryTransient(() => claimJobs(database, agentId, limit))
      for (const assignment of claimed.assignments) this.#take(assignment)
      await this.#insist(claimed.contended)
      if (!claimed.hasMore && claimed.contended.length === 0) return
      if (claimed.assignments.length === 0) await sleep(Math.random() * contendedMsMax)
    }
  }

  /** What the look did not find because the agent is loaded or suspended is there all the same. */
  async #tellIfNothing(): Promise<void> {
    const { agentId, database, onNothing } = this.#options
    if (onNothing === undefined || !this.#mayClaim || this.#found > 0) return
    if (!(await isAnythingLeft(database, agentId)) && !this.#stopping.signal.aborted) onNothing()
  }

  #take(assignment: Assignment): void {
    this.#found += 1
    this.#options.onAssignment(assignment)
  }

  get #mayClaim(): boolean {
    return !this.#stopping.signal.aborted && this.#options.room() > 0
  }

  async #insist(contended: Claimed['contended']): Promise<void> {
    const { agentId, database } = this.#options
    for (const lane of this.#contention.note(contended)) {
      if (!this.#mayClaim) return
      const claimed = await retryTransient(() => claimLane(database, agentId, lane))
      for (const assignment of claimed.assignments) this.#take(assignment)
    }
  }
}

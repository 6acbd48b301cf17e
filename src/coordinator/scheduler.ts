import { isInterlockError } from '../domain/errors.ts'
import type { Logger } from '../observability/logger.ts'
import type { Queryable } from '../store/queryable.ts'
import { type ComputedSlots, type DueSchedule, dueSchedules, fireSchedule } from '../store/schedules.ts'
import { latestTimes, nextTimes } from './timetable.ts'

/**
 * Enqueues the jobs that come by the clock. It computes and SQL decides: every coordinator looks, computes from the same
 * row and the database's time, and the verb takes what the first one brings, if the row still is as it was seen.
 */
export class Scheduler {
  readonly #database: Queryable
  readonly #logger: Logger

  constructor(database: Queryable, logger: Logger) {
    this.#database = database
    this.#logger = logger
  }

  /** Each schedule in a transaction of its own; one that fails holds up no other. */
  async fireDue(): Promise<void> {
    let failure: unknown
    for (const due of await dueSchedules(this.#database)) {
      await this.#fire(due).catch((error: unknown) => {
        failure ??= error
      })
    }
    if (failure !== undefined) throw failure
  }

  async #fire(due: DueSchedule): Promise<void> {
    const computed = computeSlots(due)
    const { outcome, jobIds } = await fireSchedule(this.#database, due, computed)
    if (outcome === 'failed') {
      this.#logger.warn({ schedule: due.name, problem: computed.problem }, 'a slot of a schedule has no job')
    } else if (outcome === 'fired') {
      this.#logger.debug({ schedule: due.name, jobIds }, 'jobs enqueued by the clock')
    }
  }
}

/** The slots that have come by the time of the look, the latest ones, and the next one after it. */
export function computeSlots(due: DueSchedule): ComputedSlots {
  const { nextAt, lookedAt } = due
  try {
    const [next = null] = nextTimes(due, lookedAt, 1)
    if (next === null && nextAt === null) {
      return { slots: [], nextAt: null, problem: `the cron expression ${due.cron} has no time that ever comes` }
    }
    if (nextAt === null) return { slots: [], nextAt: next, problem: null }
    const count = due.missed === 'all' ? due.missedLimit : 1
    const slots = latestTimes(due, { from: nextAt, until: lookedAt }, count)
    // A coordinator with other rules of its time zone stored one that ours do not have: it was promised, so it comes.
    return { slots: slots.length === 0 ? [nextAt] : slots, nextAt: next, problem: null }
  } catch (error) {
    if (!isInterlockError(error, 'invalid_argument')) throw error
    return { slots: [], nextAt: null, problem: error.message }
  }
}

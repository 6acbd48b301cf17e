import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import type { Logger } from '../observability/logger.ts'
import { absorbTouches } from '../store/agents.ts'
import { createAttemptStore } from '../store/attempts.ts'
import { IdleCollector } from '../store/idle-collector.ts'
import { countEvents } from '../store/metrics.ts'
import type { Queryable } from '../store/queryable.ts'
import { tickRequests } from '../store/questions.ts'
import { retryTransient } from '../store/retry.ts'
import {
  expireJobs,
  expireLocks,
  lostAgents,
  neglectedRoutes,
  oldSnapshots,
  promoteDueJobs,
  settleDependents,
  stallJobs,
  stopReserving,
  stuckClaims,
  sweepAgent,
  unservedReservers,
  wakePatientLanes,
  wakeRates,
} from '../store/upkeep.ts'
import type { Dispatcher } from './dispatcher.ts'
import { Scheduler } from './scheduler.ts'

/** Some 100 ms of counting. */
const eventsAtOnce = 50_000

export interface TickerOptions {
  readonly database: Queryable
  readonly dispatcher: Dispatcher
  readonly logger: Logger
  /** 500 unless set; jittered by a tenth, so that coordinators started together do not tick together. */
  readonly intervalMs?: number
}

/**
 * The clock of a coordinator: it does what no event sets off, and is the backstop of every doorbell. Twice a second,
 * because it is seen twice, once here and once after the grace, that an agent is gone: at one tick a second a killed
 * agent's job was running elsewhere only after 5.2 s at the worst.
 *
 * Every coordinator runs it, and there is no leader: each item is bounded, SKIP LOCKED, and a transaction of its own,
 * so that a slow or failing one holds up none of the others.
 */
export class Ticker {
  readonly #options: TickerOptions
  readonly #stopping = new AbortController()
  #loop: Promise<void> | null = null
  #patientAfter = ''
  readonly #idle: IdleCollector
  readonly #scheduler: Scheduler
  #isAway = false
  #countAtMs = 0
  #lookForOldAtMs = 0
  #warnedOf: ReadonlySet<string> = new Set()

  constructor(options: TickerOptions) {
    this.#options = Object.freeze({ ...options })
    this.#idle = new IdleCollector(options.database)
    this.#scheduler = new Scheduler(options.database, options.logger)
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  /** Resolves when the tick under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  /** One turn of everything. */
  async tick(): Promise<void> {
    const { database, dispatcher } = this.#options
    const failuresBefore = this.#failures
    await this.#item('promoting due jobs', () => promoteDueJobs(database))
    await this.#item('firing schedules', () => this.#scheduler.fireDue())
    await this.#item('expiring jobs', () => expireJobs(database))
    await this.#item('looking for stalled jobs', () => stallJobs(database))
    await this.#item('ending locks', async () => {
      if ((await expireLocks(database)) > 0) await expireLocks(database)
    })
    await this.#item('sweeping agents', () => this.#sweepAgents())
    await this.#item('returning stuck claims', () => this.#returnStuckClaims())
    await this.#item('stopping reservations nobody serves', () => this.#stopReservers())
    // After what ends jobs, so that those that depend on them are let go, or cancelled, by this tick.
    await this.#item('telling dependents', () => this.#tellDependents())
    await this.#item('waking patient lanes', async () => {
      this.#patientAfter = await wakePatientLanes(database, this.#patientAfter)
    })
    await this.#item('waking start rates', () => wakeRates(database))
    await this.#item('collecting idle lanes', () => this.#idle.collect())
    // After what returns jobs to wait, so that they are dispatched by this tick and not by the next.
    await this.#item('absorbing touches', () => absorbTouches(database))
    await this.#item('dispatching', async () => {
      for (const route of await neglectedRoutes(database)) await dispatcher.dispatch(route)
    })
    // After what grants them: what a job gave back for a question is handed over to it.
    await this.#item('settling questions', () => tickRequests(database))
    await this.#item('counting events', () => this.#countEvents())
    await this.#item('looking for old snapshots', () => this.#warnOfOldSnapshots())
    if (this.#failures === failuresBefore && this.#isAway) {
      this.#isAway = false
      this.#options.logger.info('the database is back')
    }
  }

  #failures = 0

  async #run(): Promise<void> {
    const intervalMs = this.#options.intervalMs ?? 500
    while (!this.#stopping.signal.aborted) {
      await this.tick()
      await sleep(intervalMs * (0.9 + Math.random() * 0.2), undefined, { signal: this.#stopping.signal }).catch(
        () => {},
      )
    }
  }

  async #item(name: string, work: () => Promise<unknown>): Promise<void> {
    if (this.#stopping.signal.aborted) return
    try {
      await work()
    } catch (error) {
      this.#failures++
      // Said once while the database is away, not nine times a second.
      if (isInterlockError(error, 'unavailable')) {
        if (!this.#isAway) this.#options.logger.warn({ error }, 'the database is away')
        this.#isAway = true
      } else {
        this.#options.logger.error({ error }, `${name} failed; the next tick tries again`)
      }
    }
  }

  // A chain of ten thousand jobs is cancelled over several ticks: what is to be done for agents is not kept waiting by it.
  async #tellDependents(): Promise<void> {
    const endMs = performance.now() + 500
    while ((await settleDependents(this.#options.database)) && performance.now() < endMs) {}
  }

  async #sweepAgents(): Promise<void> {
    const { database, logger } = this.#options
    for (const { agentId, reason } of await lostAgents(database)) {
      const jobs = await retryTransient(() => sweepAgent(database, agentId))
      logger.warn({ agentId, reason, jobs }, 'agent given up, its jobs go back')
    }
  }

  async #returnStuckClaims(): Promise<void> {
    const { database, logger } = this.#options
    const store = createAttemptStore(database)
    for (const claim of await stuckClaims(database)) {
      await store.returnJobs([claim], claim.reason)
      logger.warn({ jobId: claim.jobId, reason: claim.reason }, 'claim taken back')
    }
  }

  // A call counts up to the mark of the call before, so that the figures are some two seconds old. What a day without a
  // coordinator has left is counted over many ticks.
  async #countEvents(): Promise<void> {
    if (performance.now() < this.#countAtMs) return
    const counted = await countEvents(this.#options.database, eventsAtOnce)
    this.#countAtMs = counted < eventsAtOnce ? performance.now() + 1000 : 0
  }

  // Said once for each, with a look every ten seconds or so: it is asked of every session that the server has.
  async #warnOfOldSnapshots(): Promise<void> {
    if (performance.now() < this.#lookForOldAtMs) return
    this.#lookForOldAtMs = performance.now() + 10_000
    const { database, logger } = this.#options
    const found = await oldSnapshots(database)
    for (const { kind, name, seconds, what } of found) {
      if (this.#warnedOf.has(`${kind} ${name}`)) continue
      logger.warn({ kind, name, seconds: Math.round(seconds), what }, 'the past is kept alive; claims slow down')
    }
    this.#warnedOf = new Set(found.map(({ kind, name }) => `${kind} ${name}`))
  }

  async #stopReservers(): Promise<void> {
    const { database } = this.#options
    for (const lane of await unservedReservers(database)) await stopReserving(database, lane)
  }
}

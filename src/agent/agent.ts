import { setTimeout as sleep } from 'node:timers/promises'
import type { Assignment } from '../domain/assignment.ts'
import type { AgentId } from '../domain/ids.ts'
import { unseal } from '../security/payload-envelope.ts'
import { type HeartbeatAnswer, hasSuccessor } from '../store/agents.ts'
import { createAttemptStore } from '../store/attempts.ts'
import { within } from '../store/deadline.ts'
import { createQuestionStore, RequestFeed } from '../store/request-feed.ts'
import type { AgentOptions } from './agent-options.ts'
import { Allotment } from './allotment.ts'
import { Attempt, type AttemptSurroundings, keyOf } from './attempt.ts'
import { batched } from './batched-store.ts'
import { Incarnation } from './incarnation.ts'
import { Keeper } from './keeper.ts'
import { killBudgetMsOf, Lease } from './lease.ts'
import { type MemoryLimiting, memoryLimitingWords } from './memory-limits.ts'
import type { StopReason } from './outcome.ts'

const registerAgainMsMin = 500
const registerAgainMsMax = 5000
const standByMs = 1000
const drainedGraceMs = 2000
const afterKillMsMax = 2000
const settleMsMax = 3000

/**
 * An agent runs jobs: it registers, claims what it has room for, runs each in a process group of its own under the
 * keeper, and tells the database once how it ended.
 *
 *     registered (an incarnation) -> claims and runs -> draining -> ended
 *
 * What can go wrong, and what then happens to its jobs:
 *   the agent is killed            the keeper ends them; its lock is gone, so they run elsewhere within seconds
 *   it stands still past its lease the keeper ends them; what it says afterwards is refused
 *   its lock is lost for a second  it ends them itself and gives them back
 *   its incarnation was given up   it ends them, forgets them, and registers anew
 *   the database is away           they go on until the lease is over, then the keeper ends them
 *   the keeper is killed           the agent ends them and starts another keeper
 */
export class Agent {
  readonly #options: AgentOptions
  readonly #leaseSeconds: number
  readonly #lease = new Lease()
  readonly #keeper: Keeper
  readonly #around: AttemptSurroundings
  readonly #requestFeed: RequestFeed
  readonly #attempts = new Map<string, Attempt>()
  readonly #stopping = new AbortController()
  #incarnation: Incarnation | null = null
  #starting: Promise<void> | null = null
  #renewing: Promise<void> | null = null
  #ending: Promise<void> | null = null
  #drainUntilMs = Number.POSITIVE_INFINITY
  #isDraining = false
  readonly #allotment: Allotment
  readonly #ended = Promise.withResolvers<void>()

  constructor(options: AgentOptions) {
    this.#options = Object.freeze({ ...options })
    this.#leaseSeconds = options.leaseSeconds ?? 15
    this.#allotment = new Allotment(options, (why) => void this.#retire(why))
    const { environment, log, tasks, url } = options
    const killBudgetMs = killBudgetMsOf(this.#leaseSeconds)
    const limitsMemory = Object.values(tasks).some(({ memoryMb = null }) => memoryMb !== null)
    this.#keeper = new Keeper({ environment, killBudgetMs, limitsMemory, log })
    this.#requestFeed = new RequestFeed({ database: options.database })
    this.#around = {
      keeper: this.#keeper,
      lease: this.#lease,
      tasks,
      log,
      store: batched(createAttemptStore(options.database)),
      questions: createQuestionStore(options.database, this.#requestFeed),
      unseal: (assignment) => ({
        ...assignment,
        payload: unseal(options.keyRing ?? null, assignment.jobId, assignment.payload),
      }),
      environment,
      url: url ?? null,
      stopGraceMs: (options.stopGraceSeconds ?? 5) * 1000,
      hurryGraceMs: killBudgetMs / 2,
    }
  }

  /** The present incarnation; null before the first and between two. */
  get id(): AgentId | null {
    return this.#incarnation?.agentId ?? null
  }

  get keeperPid(): number | null {
    return this.#keeper.pid
  }

  /** How the memory of its jobs is limited; null where no task has a limit. */
  get memoryLimiting(): MemoryLimiting | null {
    return this.#keeper.memoryLimiting
  }

  /** Resolves when it has ended, by itself or by stop(). */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** How many jobs it has in hand. */
  get activeJobs(): number {
    return this.#attempts.size
  }

  /** Starts the keeper and registers. Throws InterlockError: an unknown queue or task, a database that is away. */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  /**
   * Claims no more, lets its jobs finish for so long (drainSeconds unless set), ends and returns the rest, says good-bye.
   * All in all it takes no longer than that, or a few seconds where that is less. Called again with less, it hurries.
   */
  stop(options: { readonly graceSeconds?: number } = {}): Promise<void> {
    const graceSeconds = options.graceSeconds ?? this.#options.drainSeconds ?? 25
    const killMs = drainedGraceMs + 1000
    this.#drainUntilMs = Math.min(this.#drainUntilMs, performance.now() + Math.max(0, graceSeconds * 1000 - killMs))
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #start(): Promise<void> {
    await this.#keeper.open()
    this.#tellOfMemory()
    try {
      await this.#register()
    } catch (error) {
      await this.#keeper.close()
      throw error
    }
  }

  // Which of the ways it is, the machine decides: whoever has set a limit is to know how far it holds.
  #tellOfMemory(): void {
    const { memoryLimiting } = this.#keeper
    if (memoryLimiting === null) return
    const message = `the memory of jobs is limited ${memoryLimitingWords[memoryLimiting]}`
    this.#options.log[memoryLimiting === 'none' ? 'warn' : 'info']({ memoryLimiting }, message)
  }

  async #register(): Promise<void> {
    const { database, log, name, queues, slots, tasks, permissionLevels, heartbeatSeconds, liveness } = this.#options
    if (this.#stopping.signal.aborted) return
    const settings = {
      name,
      queues,
      // It is given no more at once than it takes in all.
      slots: Math.min(slots, this.#options.maxJobs ?? slots),
      permissionLevels: permissionLevels ?? ['autonomous'],
      tasks: Object.keys(tasks),
      leaseSeconds: this.#leaseSeconds,
      heartbeatSeconds: heartbeatSeconds ?? this.#leaseSeconds / 3,
      liveness: liveness ?? 'connection',
      asksWhatIsLeft: this.#options.burst === true,
    }
    const incarnation = await Incarnation.begin({ database, lease: this.#lease, log }, settings, {
      held: () => [...this.#attempts.values()].map(({ assignment }) => assignment),
      room: () => (this.#isDraining ? 0 : Math.min(slots - this.#attempts.size, this.#allotment.left)),
      onAssignment: (assignment) => this.#take(assignment),
      onAnswer: (answer) => this.#obey(answer),
      onLeaseExtended: () => this.#keeper.extendLease(this.#lease.untilMs),
      onLockLost: () => this.#stopAll('lock_lost'),
      onGone: () => this.#renew(),
      onNothing: () => {
        if (this.#attempts.size === 0) this.#allotment.foundNothing()
      },
    })
    if (this.#stopping.signal.aborted) return await incarnation.end('stopped')
    this.#incarnation = incarnation
    if (this.#attempts.size === 0) this.#allotment.isIdle()
    log.info({ agentId: incarnation.agentId, queues, slots }, 'agent registered')
    // Drained by an operator as a former incarnation, it stays so.
    if (this.#isDraining) await incarnation.drain()
  }

  #take(assignment: Assignment): void {
    const key = keyOf(assignment)
    if (this.#attempts.has(key) || this.#stopping.signal.aborted) return
    // More than it takes was assigned to it before that was known: somebody else's at once, not after the time to confirm.
    if (this.#allotment.left === 0) return void this.#giveBack(assignment)
    this.#allotment.took()
    const attempt = new Attempt(assignment, this.#around)
    this.#attempts.set(key, attempt)
    this.#options.onAttempt?.({ type: 'begun', assignment })
    void attempt.done.then((outcome) => {
      this.#attempts.delete(key)
      this.#options.onAttempt?.({ type: 'ended', assignment, outcome })
      if (this.#attempts.size === 0) this.#allotment.isIdle()
      this.#incarnation?.ringForWork()
    })
  }

  async #giveBack(assignment: Assignment): Promise<void> {
    await this.#around.store.returnJobs([assignment], 'its agent takes no more jobs').catch(() => undefined)
  }

  /** Claims no more, lets its jobs finish however long they take, and ends. */
  async #retire(why: string): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#isDraining = true
    this.#options.log.info({ agentId: this.id }, why)
    await this.#incarnation?.drain()
    while (this.#attempts.size > 0 && !this.#stopping.signal.aborted) await this.#allDone()
    await this.stop()
  }

  #obey(answer: HeartbeatAnswer): void {
    const { log } = this.#options
    for (const order of answer.stop) this.#attempts.get(keyOf(order))?.stop(order.reason)
    if (answer.unknownCount > 0) log.warn({ count: answer.unknownCount }, 'jobs that the agent no longer has go back')
    if (answer.state === 'draining' && !this.#isDraining) {
      this.#isDraining = true
      log.info({ agentId: this.id }, 'agent is drained: it claims no more')
    }
  }

  #stopAll(reason: StopReason): void {
    for (const attempt of this.#attempts.values()) attempt.stop(reason)
  }

  /** Its jobs are another's now; when they are gone, it begins anew. */
  #renew(): void {
    this.#options.log.error({ agentId: this.id }, 'the database has given this agent up; its jobs are stopped')
    this.#stopAll('incarnation_gone')
    this.#renewing ??= this.#registerAnew().finally(() => {
      this.#renewing = null
    })
  }

  async #registerAnew(): Promise<void> {
    const former = this.#incarnation
    const { signal } = this.#stopping
    await Promise.all([...this.#attempts.values()].map(({ done }) => done))
    await former?.end('given up')
    this.#incarnation = null
    for (let waitMs = registerAgainMsMin; !signal.aborted; waitMs = Math.min(waitMs * 2, registerAgainMsMax)) {
      try {
        if (former === null || !(await this.#hasSuccessor(former.agentId))) return await this.#register()
      } catch (error) {
        this.#options.log.warn({ error }, 'agent cannot register; trying again')
      }
      await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
    }
  }

  // Two processes of one name would supersede each other in turns, and end each other's jobs: the later one has it.
  async #hasSuccessor(agentId: AgentId): Promise<boolean> {
    const { database, log, name } = this.#options
    if (!(await hasSuccessor(database, agentId))) return false
    log.error({ name }, 'another process is the agent of this name; this one stands by')
    await sleep(standByMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    return true
  }

  async #end(): Promise<void> {
    this.#isDraining = true
    this.#allotment.close()
    this.#stopping.abort()
    const settled = Promise.allSettled([this.#starting, this.#renewing])
    await within(settleMsMax, 'starting', settled).catch(() => undefined)
    await this.#incarnation?.drain()
    while (this.#attempts.size > 0 && performance.now() < this.#drainUntilMs) {
      await Promise.race([this.#allDone(), sleep(50)])
    }
    this.#stopAll('drained')
    for (const attempt of this.#attempts.values()) attempt.hurry(drainedGraceMs)
    await within(drainedGraceMs + afterKillMsMax, 'ending the jobs', this.#allDone()).catch((error: unknown) =>
      this.#options.log.error({ error, jobs: this.#attempts.size }, 'some jobs did not end in time'),
    )
    await this.#keeper.close()
    await this.#requestFeed.stop()
    await this.#incarnation?.end('stopped')
    this.#lease.end()
    this.#options.log.info({ agentId: this.id }, 'agent ended')
    this.#ended.resolve()
  }

  async #allDone(): Promise<void> {
    await Promise.all([...this.#attempts.values()].map(({ done }) => done))
  }
}

import { hostname } from 'node:os'
import type { Assignment } from '../domain/assignment.ts'
import type { AgentId } from '../domain/ids.ts'
import { drainAgent } from '../store/agent-changes.ts'
import { endAgent, type HeartbeatAnswer, registerAgent } from '../store/agents.ts'
import type { HeldJob } from '../store/attempts.ts'
import type { Database } from '../store/database.ts'
import { within } from '../store/deadline.ts'
import { Listener } from '../store/listener.ts'
import { LivenessConnection } from '../store/liveness-connection.ts'
import { SteadyConnection } from '../store/steady-connection.ts'
import type { AgentLog } from './agent-log.ts'
import { ClaimLoop } from './claim-loop.ts'
import { Heartbeat } from './heartbeat.ts'
import { answerMsMaxOf, type Lease } from './lease.ts'
import { LoadMeter } from './load-meter.ts'
import { monotonicMs } from './monotonic-clock.ts'

export interface IncarnationSettings {
  readonly name: string
  readonly queues: readonly string[]
  readonly permissionLevels: readonly string[]
  readonly slots: number
  readonly tasks: readonly string[]
  readonly leaseSeconds: number
  readonly heartbeatSeconds: number
  readonly liveness: 'connection' | 'lease'
  readonly asksWhatIsLeft: boolean
}

export interface IncarnationHandlers {
  readonly held: () => readonly HeldJob[]
  /** How many more jobs there is room for. */
  readonly room: () => number
  readonly onAssignment: (assignment: Assignment) => void
  readonly onAnswer: (answer: HeartbeatAnswer) => void
  readonly onLeaseExtended: () => void
  readonly onLockLost: () => void
  /** The database has given this incarnation up: its jobs must end, and another one be registered. */
  readonly onGone: () => void
  /** There was nothing to claim, and nothing is left that it could. */
  readonly onNothing: () => void
}

const sayMsMax = 1500

/**
 * One registration of the agent, from its first word to its last: the lease and the heartbeat that extends it, the
 * session that shows that it lives, the loop that finds work.
 */
export class Incarnation {
  readonly agentId: AgentId
  readonly #database: Database
  readonly #heartbeatDatabase: SteadyConnection
  /** It is told of things on the session that holds its lock; where only the lease tells that it lives, on a plain one. */
  readonly #liveness: LivenessConnection | null
  readonly #listener: Listener | null
  readonly #heartbeat: Heartbeat
  readonly #claims: ClaimLoop
  #isGone = false

  /** Registers, takes the liveness lock and begins to beat. Throws InterlockError. */
  static async begin(
    around: { readonly database: Database; readonly lease: Lease; readonly log: AgentLog },
    settings: IncarnationSettings,
    handlers: IncarnationHandlers,
  ): Promise<Incarnation> {
    const askedAtMs = monotonicMs()
    const { agentId, incarnation, lockClass } = await registerAgent(around.database, {
      ...settings,
      host: hostname(),
      pid: process.pid,
    })
    around.lease.begin(askedAtMs, settings.leaseSeconds)
    handlers.onLeaseExtended()
    const begun = new Incarnation(agentId, { incarnation, lockClass }, around, settings, handlers)
    try {
      await begun.#liveness?.open()
    } catch (error) {
      await begun.end('its liveness lock could not be taken')
      throw error
    }
    begun.#listener?.start()
    begun.#heartbeat.start()
    begun.#claims.start()
    return begun
  }

  private constructor(
    agentId: AgentId,
    lock: { readonly incarnation: number; readonly lockClass: number },
    around: { readonly database: Database; readonly lease: Lease; readonly log: AgentLog },
    settings: IncarnationSettings,
    handlers: IncarnationHandlers,
  ) {
    const { database, lease, log } = around
    const meter = new LoadMeter()
    const intervalMs = settings.heartbeatSeconds * 1000
    const answerMsMax = answerMsMaxOf(settings.leaseSeconds, intervalMs)
    const onGone = () => {
      if (this.#isGone) return
      this.#isGone = true
      handlers.onGone()
    }
    this.agentId = agentId
    this.#database = database
    this.#heartbeatDatabase = new SteadyConnection(database, {
      applicationName: 'interlock heartbeat',
      limitMs: answerMsMax,
    })
    this.#claims = new ClaimLoop({
      agentId,
      database,
      log,
      room: () => (this.#isSure(lease) ? handlers.room() : 0),
      onAssignment: (assignment) => {
        if (this.#isSure(lease)) handlers.onAssignment(assignment)
      },
      onGone,
      ...(settings.asksWhatIsLeft ? { onNothing: handlers.onNothing } : {}),
    })
    this.#heartbeat = new Heartbeat({
      agentId,
      database: this.#heartbeatDatabase,
      intervalMs,
      answerMsMax,
      held: handlers.held,
      load: () => ({ ...meter.read(), queueDepth: handlers.held().length }),
      log,
      onAnswer: (answer, askedAtMs) => {
        lease.confirm(askedAtMs, answer.leaseSeconds)
        handlers.onLeaseExtended()
        handlers.onAnswer(answer)
      },
      onGone,
    })
    const onNotice = (payload: string) => {
      if (payload === agentId) this.ring()
    }
    this.#listener =
      settings.liveness === 'lease' ? new Listener({ database, channels: { interlock_agent: onNotice } }) : null
    this.#liveness =
      settings.liveness === 'lease'
        ? null
        : new LivenessConnection({
            database,
            ...lock,
            onNotice,
            onBack: () => {
              log.info({ agentId }, 'liveness lock is held again')
              this.ring()
            },
            onLost: () => {
              log.error({ agentId }, 'liveness lock is lost; the jobs are stopped')
              handlers.onLockLost()
            },
          })
  }

  /** Something happened: look for work, and ask what to stop. */
  ring(): void {
    this.#claims.ring()
    this.#heartbeat.ring()
  }

  /** A slot is free. */
  ringForWork(): void {
    this.#claims.ringForRoom()
  }

  /** Claims no more; the heartbeat goes on. */
  async drain(): Promise<void> {
    await this.#say('draining', drainAgent(this.#database, this.agentId))
    await this.#claims.stop()
  }

  /** Ends what belongs to it here, and says good-bye unless the database has given it up already. */
  async end(reason: string): Promise<void> {
    await within(sayMsMax, 'stopping', Promise.all([this.#claims.stop(), this.#heartbeat.stop()])).catch(
      () => undefined,
    )
    if (!this.#isGone) await this.#say('ending', endAgent(this.#database, this.agentId, reason))
    const closing = [this.#liveness?.close(), this.#listener?.stop(), this.#heartbeatDatabase.close()]
    await within(sayMsMax, 'closing', Promise.all(closing)).catch(() => undefined)
  }

  // What cannot be said now is found out without it: by the lock that goes, or the lease that ends.
  async #say(what: string, call: Promise<unknown>): Promise<void> {
    await within(sayMsMax, what, call).catch(() => undefined)
  }

  #isSure(lease: Lease): boolean {
    return !this.#isGone && !lease.isOver && (this.#liveness?.isConfirmed ?? true)
  }
}

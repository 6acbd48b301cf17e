import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { type AlarmDelivery, settleAlarmDelivery, settleAlarms, takeAlarmDeliveries } from '../store/alarms.ts'
import type { Queryable } from '../store/queryable.ts'
import { Webhook, type WebhookOptions } from './webhook.ts'

export interface AlarmWatchOptions {
  readonly database: Queryable
  readonly logger: Logger
  /** Null: alarms are said in the log alone. */
  readonly webhook: WebhookOptions | null
  /** How often all coordinators together look; 5 unless set. */
  readonly intervalSeconds?: number
}

/** Sent at the same time; the next ones when these are done. */
const sentAtOnce = 5

/**
 * Says what is alarming. Every coordinator asks, and SQL answers one of them, once. It has a clock of its own beside the
 * tick's: neither a look over all queues nor a receiver that does not answer may hold up what gives jobs to agents.
 */
export class AlarmWatch {
  readonly #options: AlarmWatchOptions
  readonly #webhook: Webhook | null
  readonly #stopping = new AbortController()
  #loop: Promise<unknown> | null = null

  constructor(options: AlarmWatchOptions) {
    this.#options = Object.freeze({ ...options })
    this.#webhook = options.webhook === null ? null : new Webhook(options.webhook)
  }

  start(): void {
    this.#loop ??= Promise.all([this.#repeat('looking for alarms', () => this.look()), this.#deliver()])
  }

  /** Resolves when the look under way has ended; a message on its way is left, and comes again. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  /** One look, if it is time for one. */
  async look(): Promise<void> {
    const { database, logger, intervalSeconds = 5 } = this.#options
    for (const { event, rule, subject, value, bound, message } of await settleAlarms(database, intervalSeconds)) {
      say(logger, event === 'raised' ? 'alarm.raised' : 'alarm.cleared', { rule, subject, value, bound, message })
    }
  }

  /** Sends what is due; resolves when all of it was answered, or was not in time. */
  async deliver(): Promise<void> {
    const webhook = this.#webhook
    if (webhook === null) return
    const due = await takeAlarmDeliveries(this.#options.database, sentAtOnce)
    await Promise.all(due.map((delivery) => this.#send(webhook, delivery)))
  }

  async #send(webhook: Webhook, { id, event, data, createdAt, attempts }: AlarmDelivery): Promise<void> {
    const { database, logger } = this.#options
    const problem = await webhook.send({ id, type: event, at: createdAt, data }, this.#stopping.signal)
    // Cut off by the stop, not by the receiver: whoever goes on takes it in a minute.
    if (problem !== null && this.#stopping.signal.aborted) return
    const became = await settleAlarmDelivery(database, id, problem)
    if (became === 'given_up' && problem !== null) say(logger, 'alarm.undelivered', { id, attempts, problem })
    else if (problem !== null) logger.debug({ id, attempts, problem }, 'an alarm did not arrive, and is sent again')
  }

  #deliver(): Promise<void> {
    return this.#webhook === null ? Promise.resolve() : this.#repeat('sending alarms', () => this.deliver())
  }

  async #repeat(name: string, work: () => Promise<void>): Promise<void> {
    const { logger, intervalSeconds = 5 } = this.#options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await work().catch((error: unknown) => {
        // The tick says that the database is away.
        if (!isInterlockError(error, 'unavailable')) logger.error({ error }, `${name} failed; tried again soon`)
      })
      await sleep(intervalSeconds * (0.5 + Math.random() * 0.1) * 1000, undefined, { signal }).catch(() => undefined)
    }
  }
}

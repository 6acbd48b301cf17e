import { isInterlockError } from '../domain/errors.ts'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { metricsText } from '../observability/metrics-text.ts'
import { processMetrics } from '../observability/process-metrics.ts'
import { noEncryption, type PayloadEncryption } from '../security/payload-encryption.ts'
import { AgentFeed } from '../store/agent-feed.ts'
import type { Database } from '../store/database.ts'
import { EventFeed } from '../store/event-feed.ts'
import { JobFeed } from '../store/job-feed.ts'
import { readMetricsSnapshot } from '../store/metrics.ts'
import { RequestFeed } from '../store/request-feed.ts'
import { withDeadline } from './deadline.ts'
import { readQueueAnswers } from './queue-answers.ts'
import { databaseCheck, EventLoopWatch, listenCheck, type ReadinessCheck, schemaCheck } from './readiness.ts'
import type { Services } from './services.ts'
import { createSnapshot } from './snapshot.ts'

export interface LiveServicesOptions {
  readonly database: Database
  readonly logger: Logger
  /** Which payloads are stored encrypted; none unless set. */
  readonly encryption?: PayloadEncryption
  /** What else must be so before the process is ready. */
  readonly readiness?: readonly ReadinessCheck[]
  /** How old an answer of /queue/status may be; 1 unless set. */
  readonly statusAgeSeconds?: number
  /** How old the figures of the database in /metrics may be; 2 unless set. */
  readonly metricsAgeSeconds?: number
  /** How often to look at jobs that somebody waits for, beside listening; see JobFeed. */
  readonly pollSeconds?: number
}

/** Shorter than a scraper's usual patience of ten: with the database away it still hears of the process. */
const metricsSeconds = 5

/** What the routes answer from, while it lives: whatever waits hangs on its feeds, and ends with them. */
export class LiveServices {
  readonly eventLoop = new EventLoopWatch()
  readonly services: Services
  readonly #feed: JobFeed
  readonly #requestFeed: RequestFeed
  readonly #agentFeed: AgentFeed
  readonly #eventFeed: EventFeed

  constructor(options: LiveServicesOptions) {
    const { database, logger, pollSeconds, encryption = noEncryption, readiness = [] } = options
    const { statusAgeSeconds = 1, metricsAgeSeconds = 2 } = options
    const figures = createSnapshot({ read: () => readMetricsSnapshot(database), maxAgeMs: metricsAgeSeconds * 1000 })
    // Counts from here on, not from the first scrape.
    processMetrics()
    this.#requestFeed = new RequestFeed({ database })
    this.#feed = new JobFeed({
      database,
      hearsFrom: database,
      onLost: (error) => say(logger, 'feed.lost', { error }),
      ...(pollSeconds === undefined ? {} : { pollSeconds }),
    })
    this.#agentFeed = new AgentFeed(database)
    this.#eventFeed = new EventFeed(database)
    this.services = {
      database,
      feed: this.#feed,
      requestFeed: this.#requestFeed,
      agentFeed: this.#agentFeed,
      eventFeed: this.#eventFeed,
      encryption,
      queue: createSnapshot({ read: () => readQueueAnswers(database), maxAgeMs: statusAgeSeconds * 1000 }),
      metrics: async () => {
        const snapshot = await withDeadline(figures(), metricsSeconds).catch((error: unknown) => {
          if (isInterlockError(error, 'unavailable')) return null
          throw error
        })
        const { totalCount: total, idleCount: idle, waitingCount: waiting } = database.pool
        return metricsText(snapshot, { total, idle, waiting, isListening: this.#feed.isListening })
      },
      readiness: [
        databaseCheck(database),
        schemaCheck(database),
        listenCheck(this.#feed),
        this.eventLoop.readiness,
        ...readiness,
      ],
    }
  }

  start(): void {
    this.#feed.start()
    this.eventLoop.start()
  }

  async stop(): Promise<void> {
    this.eventLoop.stop()
    await Promise.all([this.#feed.stop(), this.#requestFeed.stop(), this.#agentFeed.stop(), this.#eventFeed.stop()])
  }
}

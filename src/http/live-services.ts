import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import { noEncryption, type PayloadEncryption } from '../security/payload-encryption.ts'
import { AgentFeed } from '../store/agent-feed.ts'
import type { Database } from '../store/database.ts'
import { JobFeed } from '../store/job-feed.ts'
import { RequestFeed } from '../store/request-feed.ts'
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
  /** How often to look at jobs that somebody waits for, beside listening; see JobFeed. */
  readonly pollSeconds?: number
}

/** What the routes answer from, while it lives: whatever waits hangs on its feeds, and ends with them. */
export class LiveServices {
  readonly eventLoop = new EventLoopWatch()
  readonly services: Services
  readonly #feed: JobFeed
  readonly #requestFeed: RequestFeed
  readonly #agentFeed: AgentFeed

  constructor(options: LiveServicesOptions) {
    const { database, logger, pollSeconds, encryption = noEncryption, readiness = [], statusAgeSeconds = 1 } = options
    this.#requestFeed = new RequestFeed({ database })
    this.#feed = new JobFeed({
      database,
      onLost: (error) => say(logger, 'feed.lost', { error }),
      ...(pollSeconds === undefined ? {} : { pollSeconds }),
    })
    this.#agentFeed = new AgentFeed(database)
    this.services = {
      database,
      feed: this.#feed,
      requestFeed: this.#requestFeed,
      agentFeed: this.#agentFeed,
      encryption,
      queue: createSnapshot({ read: () => readQueueAnswers(database), maxAgeMs: statusAgeSeconds * 1000 }),
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
    await Promise.all([this.#feed.stop(), this.#requestFeed.stop(), this.#agentFeed.stop()])
  }
}

import type { PayloadEncryption } from '../security/payload-encryption.ts'
import type { AgentFeed } from '../store/agent-feed.ts'
import type { Database } from '../store/database.ts'
import type { EventFeed } from '../store/event-feed.ts'
import type { JobFeed } from '../store/job-feed.ts'
import type { RequestFeed } from '../store/request-feed.ts'
import type { QueueAnswers } from './queue-answers.ts'
import type { ReadinessCheck } from './readiness.ts'

/** What the routes answer from. */
export interface Services {
  readonly database: Database
  readonly feed: JobFeed
  readonly requestFeed: RequestFeed
  readonly agentFeed: AgentFeed
  readonly encryption: PayloadEncryption
  readonly eventFeed: EventFeed
  readonly queue: () => Promise<QueueAnswers>
  /** As Prometheus reads them. */
  readonly metrics: () => Promise<string>
  readonly readiness: readonly ReadinessCheck[]
}

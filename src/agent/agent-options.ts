import type { Assignment } from '../domain/assignment.ts'
import type { TaskTable } from '../domain/task-table.ts'
import type { KeyRing } from '../security/key-ring.ts'
import type { Database } from '../store/database.ts'
import type { AgentLog } from './agent-log.ts'
import type { Outcome } from './outcome.ts'

export interface AgentOptions {
  readonly database: Database
  readonly name: string
  readonly queues: readonly string[]
  readonly tasks: TaskTable
  /** How many jobs at once. */
  readonly slots: number
  readonly log: AgentLog
  /** With what encrypted payloads are read; null: it cannot read any. */
  readonly keyRing?: KeyRing | null
  /** What its jobs inherit; see inheritedByJobs(). */
  readonly environment: Readonly<Record<string, string>>
  /** `autonomous` unless set. */
  readonly permissionLevels?: readonly string[]
  /** 15 unless set. */
  readonly leaseSeconds?: number
  /** A third of the lease unless set. */
  readonly heartbeatSeconds?: number
  /** How long stop() lets jobs finish; 25 unless set. */
  readonly drainSeconds?: number
  /** Between SIGTERM and SIGKILL for a job that is cancelled or timed out; 5 unless set. */
  readonly stopGraceSeconds?: number
  /** `lease` behind a transaction pooler, or where a hiccup of the network must not cost a long job; else `connection`. */
  readonly liveness?: 'connection' | 'lease'
  /** It ends by itself when nothing is left that it could start. */
  readonly burst?: boolean
  /** It ends by itself after so many jobs; null: never. */
  readonly maxJobs?: number | null
  /** It ends by itself when it had nothing in hand for so long; null: never. */
  readonly maxIdleSeconds?: number | null
  /** Told to jobs as INTERLOCK_URL. */
  readonly url?: string | null
  readonly onAttempt?: (event: AttemptEvent) => void
}

export type AttemptEvent =
  | { readonly type: 'begun'; readonly assignment: Assignment }
  | { readonly type: 'ended'; readonly assignment: Assignment; readonly outcome: Outcome }

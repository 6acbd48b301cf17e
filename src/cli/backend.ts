import type { Release } from '../client/http-locks.ts'
import type { JobPage } from '../client/views.ts'
import type { Config } from '../config.ts'
import type { AgentCounts } from '../domain/agent-counts.ts'
import type { AgentView } from '../domain/agent-view.ts'
import type { AlarmView } from '../domain/alarm.ts'
import type { Allocation } from '../domain/allocation.ts'
import { InterlockError } from '../domain/errors.ts'
import type { EventView } from '../domain/event-view.ts'
import type { Explanation } from '../domain/explanation.ts'
import type { HistoryQuestion, HistorySummary } from '../domain/history-summary.ts'
import type { JobFilter } from '../domain/job-filter.ts'
import type { JobRequest } from '../domain/job-request.ts'
import type { JobView } from '../domain/job-view.ts'
import type { LockRequest } from '../domain/lock-request.ts'
import type { HeldLockView, LockView, ReleasedView, SweptView } from '../domain/lock-view.ts'
import type { OutputChunkView } from '../domain/output-view.ts'
import type { RequestStatus, Response } from '../domain/question.ts'
import type { RequestView } from '../domain/question-view.ts'
import type { EventPage, EventsRequest } from '../domain/queue-event.ts'
import type { QueueStatus } from '../domain/queue-status.ts'
import type {
  AppliedWorkflow,
  CancelledExecution,
  ExecutionRequest,
  ExecutionView,
  WorkflowDefinition,
  WorkflowView,
} from '../domain/workflow.ts'
import type { KeyBackend } from './key-backend.ts'
import type { Place } from './launcher.ts'
import type { ScheduleBackend } from './schedule-backend.ts'
import type { Steering } from './steering.ts'

/** A page of what `queue list` filters by. */
export interface JobListRequest extends JobFilter {
  readonly status?: readonly string[] | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** A change of one job that somebody asks for; the reason and the actor are written into its log. */
export type JobChange = 'start' | 'approve' | 'reject' | 'cancel' | 'requeue' | 'release' | 'delete'

/** What a person does to an agent; the actor is written into the log. */
export type AgentChange = 'drain' | 'suspend' | 'resume'

export interface AgentsNow {
  readonly agents: readonly AgentView[]
  readonly counts: AgentCounts
}

export interface AgentChanged {
  readonly state: string
  readonly active_jobs: number
}

/** What `locks list` filters by. */
export interface LockFilter {
  readonly resource?: string | undefined
  readonly owner?: string | undefined
  readonly kind?: 'job' | 'lock' | undefined
}

/** What `questions list` filters by. */
export interface RequestFilter {
  readonly status?: RequestStatus | undefined
  readonly job?: string | undefined
  readonly conversation?: string | undefined
}

/**
 * A queue as the commands see it, be it behind HTTP or straight in a database. All calls throw InterlockError; ids
 * that nobody has are job_not_found, and whatever does not answer is unavailable.
 */
export interface Backend extends Steering {
  /** With a unique_key, maybe the job that is there already (is_duplicate). */
  enqueue(request: JobRequest): Promise<JobView & { readonly is_duplicate?: boolean }>
  getJob(id: string): Promise<JobView>
  listJobs(request: JobListRequest): Promise<JobPage>
  explainJob(id: string): Promise<Explanation>
  timeline(id: string): Promise<readonly EventView[]>
  /** Chunks written after one (0: from the start), oldest first; at most some hundred a call. */
  output(id: string, after: number): Promise<readonly OutputChunkView[]>
  /** Answers when the job has ended, or after the time with the job as it is then. */
  waitForJob(id: string, timeoutSeconds: number): Promise<JobView>
  changeJob(id: string, change: JobChange, reason: string | null): Promise<{ readonly status: string }>
  queueStatus(): Promise<QueueStatus>
  agents(): Promise<AgentsNow>
  allocation(): Promise<Allocation>
  changeAgent(id: string, change: AgentChange, reason: string | null): Promise<AgentChanged>
  locks(filter: LockFilter): Promise<readonly LockView[]>
  /** Waits as the request says; not_held when it could not be had. Aborted, it leaves the line. */
  acquireLock(request: LockRequest, signal: AbortSignal): Promise<HeldLockView>
  /** Null for the lease: as long as before. */
  extendLock(id: string, token: number, leaseSeconds: number | null): Promise<Pick<HeldLockView, 'lease_until'>>
  release(release: Release): Promise<readonly ReleasedView[]>
  /** The oldest first, at most a thousand. */
  requests(filter: RequestFilter): Promise<readonly RequestView[]>
  request(id: string): Promise<RequestView>
  answer(id: string, response: Response): Promise<RequestView>
  sweepLocks(
    olderThanSeconds: number,
    options: { readonly dryRun: boolean; readonly project?: string | undefined },
  ): Promise<readonly SweptView[]>
  workflows(): Promise<readonly WorkflowView[]>
  getWorkflow(id: string): Promise<WorkflowView>
  applyWorkflow(definition: WorkflowDefinition): Promise<AppliedWorkflow>
  executeWorkflow(id: string, request: ExecutionRequest): Promise<ExecutionView>
  getExecution(id: string): Promise<ExecutionView>
  cancelExecution(id: string, reason: string | null): Promise<CancelledExecution>
  readonly schedules: ScheduleBackend
  readonly keys: KeyBackend
  alarms(): Promise<readonly AlarmView[]>
  historySummary(question: HistoryQuestion): Promise<HistorySummary>
  /** What came after a cursor; at once, and nothing if there is nothing. */
  events(request: EventsRequest): Promise<EventPage>
  close(): Promise<void>
}

export interface BackendOptions {
  readonly signal: AbortSignal
  /** The database was named on the command line, which outweighs a coordinator that is named elsewhere. */
  readonly prefersDatabase?: boolean
}

/**
 * The backend that the configuration names: HTTP when client.url does, else the database when database.url does, else
 * HTTP where a coordinator of this configuration would listen. A URL is the more particular wish: DATABASE_URL is often
 * set for some other program.
 */
export async function openBackend(config: Config, options: BackendOptions): Promise<Backend> {
  const place = placeOf(config, options)
  if ('databaseUrl' in place) {
    const { openDatabaseBackend } = await import('./database-backend.ts')
    return openDatabaseBackend(place.databaseUrl, { ...options, ...config.security })
  }
  const { createHttpBackend } = await import('./http-backend.ts')
  return createHttpBackend(place.url, { ...options, key: place.key })
}

/** Where that is. */
export function placeOf(config: Config, options: { readonly prefersDatabase?: boolean }): Place {
  const { client, database, http, security } = config
  const isDatabase = client.url === null || options.prefersDatabase === true
  if (isDatabase && database.url !== null) return { databaseUrl: database.url, security }
  return { url: client.url ?? `http://${hostInUrl(http.host)}:${http.port}`, key: client.key }
}

/** The job as it would be refused when it does not exist, for backends that are told so by an empty answer. */
export function jobNotFound(id: string): InterlockError {
  return new InterlockError('job_not_found', `there is no job ${id}`)
}

export function requestNotFound(id: string): InterlockError {
  return new InterlockError('job_not_found', `request ${id} does not exist`, { field: 'request_id' })
}

function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

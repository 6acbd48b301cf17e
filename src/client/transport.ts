import type { EventView } from '../domain/event-view.ts'
import type { Explanation } from '../domain/explanation.ts'
import type { JobStatus } from '../domain/job.ts'
import type { JobFilter } from '../domain/job-filter.ts'
import type { JobRequest } from '../domain/job-request.ts'
import type { JobView } from '../domain/job-view.ts'
import type { LockRequest } from '../domain/lock-request.ts'
import type { HeldLockView } from '../domain/lock-view.ts'
import type { OutputChunkView } from '../domain/output-view.ts'
import type { RequestStatus, Response } from '../domain/question.ts'
import type { RequestPage, RequestView } from '../domain/question-view.ts'
import type { EventFilter, QueueEvent } from '../domain/queue-event.ts'
import type { QueueStatus } from '../domain/queue-status.ts'
import type { ExecutionRequest, ExecutionView } from '../domain/workflow.ts'
import type { CallerTransaction } from '../store/borrowed.ts'
import type { JobPage } from './views.ts'

/** A job as it is asked for, in the words of every other door. `model` is short for a `models` of one. */
export type WrittenJob = JobRequest & { readonly model?: string | undefined }

export interface Enqueued {
  readonly id: string
  readonly status: JobStatus
  /** Nothing was enqueued: this is the unfinished job that has the unique_key. */
  readonly is_duplicate: boolean
}

export interface EnqueueWay {
  readonly transaction?: CallerTransaction | undefined
  readonly idempotencyKey?: string | undefined
}

/** A page of what jobs are listed by; a field that is left out does not restrict. */
export interface JobQuery extends JobFilter {
  readonly status?: JobStatus | readonly JobStatus[] | undefined
  /** 50 unless set, 500 at most. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface RequestQuery {
  readonly status?: RequestStatus | undefined
  readonly job?: string | undefined
  readonly conversation?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export type ChangeOfJob = 'cancel' | 'requeue'

/** What became of it: `cancelling`, where it runs and its process has to be gone first. */
export interface ChangedJob {
  readonly id: string
  readonly status: JobStatus | 'cancelling'
}

/** Which events are wanted, and from where on: an event's cursor, `start` for all that is kept, unset from now on. */
export interface EventQuery extends EventFilter {
  readonly since?: string | undefined
}

/**
 * The verbs that a client calls, be the queue behind HTTP or straight in its database. All throw InterlockError: ids
 * that nobody has are job_not_found, and whatever does not answer is unavailable.
 */
export interface Transport {
  /** All or none, in the order given. */
  enqueue(jobs: readonly WrittenJob[], way: EnqueueWay): Promise<readonly Enqueued[]>
  job(id: string): Promise<JobView>
  list(query: JobQuery): Promise<JobPage>
  /** Answers when the job has ended, or after the time with the job as it is then. */
  waitForJob(id: string, waitSeconds: number, signal: AbortSignal | undefined): Promise<JobView>
  change(id: string, change: ChangeOfJob, reason: string | null): Promise<ChangedJob>
  explain(id: string): Promise<Explanation>
  timeline(id: string): Promise<readonly EventView[]>
  /** What the job writes after this chunk (0: from the start), until it has ended. */
  output(id: string, after: number, signal: AbortSignal | undefined): AsyncIterable<OutputChunkView>
  status(): Promise<QueueStatus>
  /** Goes on for ever, across broken connections, or throws. */
  events(query: EventQuery, signal: AbortSignal | undefined): AsyncIterable<QueueEvent>
  /** Waits as the request says; not_held when it could not be had. Aborted, it leaves the line. */
  acquireLock(request: LockRequest, signal: AbortSignal): Promise<HeldLockView>
  extendLock(id: string, token: number, leaseSeconds: number): Promise<Pick<HeldLockView, 'lease_until'>>
  releaseLock(id: string, token: number): Promise<void>
  requests(query: RequestQuery): Promise<RequestPage>
  answer(requestId: string, response: Response): Promise<RequestView>
  execute(workflowId: string, request: ExecutionRequest, idempotencyKey: string | undefined): Promise<ExecutionView>
  execution(id: string): Promise<ExecutionView>
  /** Ends what is under way. A pool stays its owner's. */
  close(): Promise<void>
}

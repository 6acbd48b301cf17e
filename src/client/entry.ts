/**
 * What `import ... from 'interlock'` gives. It brings nothing of the server with it, and of a transport only what is used:
 * without a pool, no driver of Postgres.
 */
export { type ErrorCode, errorCodes, InterlockError, isInterlockError } from '../domain/errors.ts'
export type { EventView } from '../domain/event-view.ts'
export type { Explanation } from '../domain/explanation.ts'
export type { JobStatus } from '../domain/job.ts'
export type { TaskAnswer, TaskQuestion } from '../domain/job-question.ts'
export type { JobSummaryView, JobView } from '../domain/job-view.ts'
export type { OutputChunkView } from '../domain/output-view.ts'
export type { Response } from '../domain/question.ts'
export type { RequestPage, RequestView } from '../domain/question-view.ts'
export type { QueueEvent } from '../domain/queue-event.ts'
export type { QueueStatus } from '../domain/queue-status.ts'
export {
  type AnyTask,
  defineTask,
  type StandardSchema,
  type TaskContext,
  type TaskDefinition,
} from '../domain/task-definition.ts'
export type { ExecutionRequest, ExecutionView } from '../domain/workflow.ts'
export type { BorrowedPool, CallerTransaction } from '../store/borrowed.ts'
export type { Client, WaitOptions } from './client.ts'
export { type ClientOptions, createClient, type HttpOptions, type PoolOptions } from './create-client.ts'
export type { HeldLock, HoldOptions } from './held-lock.ts'
export type { ChangedJob, EventQuery, JobQuery, RequestQuery } from './transport.ts'
export type {
  CompletedJob,
  EnqueuedJob,
  EnqueueManyOptions,
  EnqueueOptions,
  JobFields,
  NewJob,
  WaitedJob,
} from './typed-job.ts'
export type { JobPage } from './views.ts'

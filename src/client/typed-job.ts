import type { JobStatus } from '../domain/job.ts'
import type { JobView } from '../domain/job-view.ts'
import type { AnyTask, TaskTypes } from '../domain/task-definition.ts'
import type { CallerTransaction } from '../store/borrowed.ts'
import type { Enqueued, WrittenJob } from './transport.ts'

type Fields = Readonly<Record<string, unknown>>

/** A task by its definition, which types what it takes and makes. */
export interface TypedTask<Input, Output> extends AnyTask {
  readonly '~types'?: TaskTypes<Input, Output>
}

/** What is said of a job beside its task and payload, in the words of every other door: `user`, `models`, `run_at`, ... */
export type JobFields = Omit<WrittenJob, 'task' | 'payload'>

export interface EnqueueOptions extends JobFields {
  /** The caller's own, begun and not ended: nothing is enqueued if it is rolled back. For clients made with a pool. */
  readonly transaction?: CallerTransaction
  /** What the request is named by, so that it may be repeated: the same jobs are answered again, and none is added. */
  readonly idempotencyKey?: string
}

export type EnqueueManyOptions = Pick<EnqueueOptions, 'transaction' | 'idempotencyKey'>

/** One of several jobs: a task, by its definition or by its name, with its payload and the fields of a job. */
export type NewJob<Task extends AnyTask | string = AnyTask | string> = JobFields &
  (Task extends TypedTask<infer Input, unknown>
    ? { readonly task: Task; readonly payload: Input }
    : { readonly task: Task; readonly payload?: Fields })

/** The job that was enqueued; it remembers the type of its result. */
export interface EnqueuedJob<Output = unknown> extends Enqueued {
  readonly '~output'?: Output
}

export type EnqueuedJobs<Tasks extends readonly (AnyTask | string)[]> = {
  readonly [Place in keyof Tasks]: EnqueuedJob<OutputOf<Tasks[Place]>>
}

type OutputOf<Task> = Task extends TypedTask<unknown, infer Output> ? Output : unknown

/** What is left of a value that was sent as JSON: a Date is its text, and so is whatever has a toJSON(). */
export type AsJson<Value> = Value extends { toJSON(): infer Text }
  ? Text
  : Value extends object
    ? { readonly [Key in keyof Value]: AsJson<Value[Key]> }
    : Value

/** A job that ended well, with its result for as long as its queue keeps results. */
export type CompletedJob<Output> = Omit<JobView, 'status' | 'result'> & {
  readonly status: 'completed'
  readonly result: AsJson<Output>
}

/** A job that was waited for: where its status is `completed`, it has a result of its task's type. */
export type WaitedJob<Output> =
  | CompletedJob<Output>
  | (Omit<JobView, 'status'> & { readonly status: Exclude<JobStatus, 'completed'> })

import type { Assignment } from './assignment.ts'
import type { FencingToken } from './ids.ts'
import type { TaskAnswer, TaskQuestion } from './job-question.ts'

/**
 * A validator of any library that follows Standard Schema (zod, valibot, arktype): the part of the published interface
 * that we call, so that a task's author needs no library of ours.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a task is given beside its payload. */
export interface TaskContext {
  /** Aborted when the job is to stop: cancelled, timed out, drained. Soon after, the process is killed. */
  readonly signal: AbortSignal
  /** A line of the job's output. */
  readonly log: (...words: readonly unknown[]) => void
  /** From 0 to 100. */
  readonly progress: (percent: number, description?: string) => void
  /** The run of a workflow is at this step of it, by name. */
  readonly step: (name: string) => void
  /** Asks a person, and waits for the answer. Throws what refuses the question; that nobody answered is an answer, too. */
  readonly ask: (question: TaskQuestion) => Promise<TaskAnswer>
  /** A sign of life, for a job that has to give some (heartbeat_seconds) and has no progress or output to show. */
  readonly heartbeat: () => void
  readonly token: FencingToken
  /**
   * By resource: hand them to the systems behind it, which then refuse a stale holder. What a question gave back has new
   * ones here when ask() returns.
   */
  readonly fences: Readonly<Record<string, number>>
  readonly job: Assignment
}

/** What a task takes and makes, for whoever enqueues it. Never there when the program runs. */
export interface TaskTypes<Input, Output> {
  readonly input: Input
  readonly output: Output
}

/**
 * `Input` is what is enqueued and `Payload` what run() sees of it, `Result` what run() returns and `Output` what is kept
 * of it: they differ where a schema fills in defaults or transforms.
 */
export interface TaskDefinition<Payload = unknown, Result = unknown, Input = Payload, Output = Result> {
  readonly name: string
  /**
   * Validates the payload when it is enqueued, and again before run() sees it: jobs that wait are older than the program
   * that runs them. One that is invalid by then fails the job for good.
   */
  readonly input?: StandardSchema<Input, Payload>
  /** Validates what run() returns; the job fails with `invalid_output`, and is tried again as its queue says. */
  readonly output?: StandardSchema<Result, Output>
  /** What it returns is the job's result, as JSON; what it throws is its error. */
  readonly run: (payload: Payload, context: TaskContext) => Result | Promise<Result>
  readonly '~types'?: TaskTypes<Input, Output>
}

/** A task of any types. */
export interface AnyTask {
  readonly name: string
  readonly input?: StandardSchema
  readonly output?: StandardSchema
  readonly run: (payload: never, context: TaskContext) => unknown
}

/**
 * Defines a task; a module's default export.
 *
 *     export default defineTask({ name: 'resize', input: z.object({ url: z.url() }), async run({ url }) { ... } })
 */
export function defineTask<
  Payload = Readonly<Record<string, unknown>>,
  Result = unknown,
  Input = Payload,
  Output = Result,
>(definition: TaskDefinition<Payload, Result, Input, Output>): TaskDefinition<Payload, Result, Input, Output> {
  return Object.freeze({ ...definition })
}

export function isTaskDefinition(value: unknown): value is TaskDefinition {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { name?: unknown }).name === 'string' &&
    typeof (value as { run?: unknown }).run === 'function'
  )
}

/** The field that an issue is about, as people write it: `items[2].url`; empty for the payload itself. */
export function fieldOfIssue(issue: SchemaIssue): string {
  return (issue.path ?? [])
    .map((step) => (typeof step === 'object' ? step.key : step))
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('')
}

/** What a schema objects to, in one sentence, and the field of the first objection; `root` is what was validated. */
export function describeIssues(
  issues: readonly SchemaIssue[],
  root: 'payload' | 'result',
): { readonly message: string; readonly field: string } {
  const [first] = issues
  const field = first === undefined ? '' : fieldOfIssue(first)
  return {
    message: issues
      .slice(0, 10)
      .map((issue) => `${fieldOfIssue(issue) || root}: ${issue.message}`)
      .join('; '),
    field: field === '' ? root : `${root}${field.startsWith('[') ? '' : '.'}${field}`,
  }
}

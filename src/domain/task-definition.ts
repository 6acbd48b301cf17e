import type { Assignment } from './assignment.ts'
import type { FencingToken } from './ids.ts'
import type { TaskAnswer, TaskQuestion } from './job-question.ts'

/**
 * A validator of any library that follows Standard Schema (zod, valibot, arktype): the part of the published interface
 * that we call, so that a task's author needs no library of ours.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
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

export interface TaskDefinition<Input = unknown, Output = unknown> {
  readonly name: string
  /** Validates the payload before run() sees it; an invalid one fails the job for good. */
  readonly input?: StandardSchema<Input>
  /** What it returns is the job's result, as JSON; what it throws is its error. */
  readonly run: (payload: Input, context: TaskContext) => Output | Promise<Output>
}

/**
 * Defines a task; a module's default export.
 *
 *     export default defineTask({ name: 'resize', input: z.object({ url: z.url() }), async run({ url }) { ... } })
 */
export function defineTask<Input = Readonly<Record<string, unknown>>, Output = unknown>(
  definition: TaskDefinition<Input, Output>,
): TaskDefinition<Input, Output> {
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

import { InterlockError } from '../domain/errors.ts'
import { type AnyTask, describeIssues } from '../domain/task-definition.ts'
import type { WrittenJob } from './transport.ts'
import type { JobFields } from './typed-job.ts'

/**
 * A job as it is asked for, its payload checked by its task's schema. What is enqueued is the payload as it was given,
 * not what the schema makes of it: the schema is applied again when the job runs, and to its own output it need not fit.
 * `at` is its place among several. Throws invalid_argument.
 */
export async function writeJob(
  task: AnyTask | string,
  payload: unknown,
  fields: JobFields,
  at = '',
): Promise<WrittenJob> {
  // As the job will see it: a Date has become text by then, and where its schema minds, that is better said now.
  const kept = throughJson(payload, at)
  const given = kept === undefined ? {} : { payload: kept as NonNullable<WrittenJob['payload']> }
  if (typeof task === 'string') return { ...fields, task, ...given }
  const checked = await task.input?.['~standard'].validate(kept)
  if (checked?.issues !== undefined) throw refuse(task, describeIssues(checked.issues, 'payload'), at)
  return { ...fields, task: task.name, ...given }
}

function throughJson(payload: unknown, at: string): unknown {
  try {
    const json = JSON.stringify(payload) as string | undefined
    return json === undefined ? undefined : JSON.parse(json)
  } catch (error) {
    throw new InterlockError('invalid_argument', `payload cannot be written as JSON: ${(error as Error).message}`, {
      field: `${at}payload`,
      cause: error,
    })
  }
}

function refuse(
  task: AnyTask,
  { message, field }: { readonly message: string; readonly field: string },
  at: string,
): InterlockError {
  return new InterlockError('invalid_argument', `the payload is none of task ${task.name}: ${message}`, {
    field: `${at}${field}`,
  })
}

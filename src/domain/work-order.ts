import { z } from 'zod'
import { permissionLevels } from './job.ts'

/** The kinds of work that a work order may ask for; unless the request names a task, they are the tasks too. */
export const taskTypes = ['feature', 'bugfix', 'test', 'docs', 'refactor', 'review'] as const

const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'must be 1 to 128 letters, digits, dots, colons, dashes or underscores')
const words = (most: number) => z.string().min(1).max(most)
const anObject = z.record(z.string(), z.unknown())

// Both end up as arguments of git: what begins with a dash there is an option.
const repositoryUrlShape = /^(?!-)[^\s\p{Cc}]{1,2048}$/u
const branchShape = /^(?![-/])(?!.*(\.\.|\/\/|@\{))[^\s\p{Cc}~^:?*\\[]{0,254}[^\s\p{Cc}~^:?*\\[/.]$/u

/**
 * A work order, as the callers of a coding agents' backend write it. What an order leaves out may also be null there.
 * `expand_work_orders()` makes a job of it: its payload's field `work_order` has all of the order, and the job its
 * permission level, priority, timeout and attempts.
 */
export function workOrderSchema<Priority extends z.ZodType>(priority: Priority, longestTimeoutSeconds: number) {
  return z.strictObject({
    id: identifier.nullish(),
    task_id: identifier.nullish(),
    work_order_id: identifier.nullish(),
    task_type: z.enum(taskTypes),
    permission_level: z.enum(permissionLevels).nullish(),
    priority: priority.nullish(),
    repository_url: z.string().regex(repositoryUrlShape, 'must be 1 to 2048 characters without blanks, and no option'),
    branch_name: z.string().regex(branchShape, 'must be the name of a branch'),
    issue_number: z.int().min(1).max(999_999_999).nullish(),
    pr_number: z.int().min(1).max(999_999_999).nullish(),
    files: z.array(words(1024)).max(1000).nullish(),
    title: words(300),
    description: words(65_536),
    requirements: z.array(words(4096)).max(200).nullish(),
    created_at: z.iso.datetime({ offset: true, local: true, error: 'must be an ISO 8601 time' }).nullish(),
    timeout_seconds: z.int().min(1).max(longestTimeoutSeconds).nullish(),
    max_retries: z.int().min(0).max(99).nullish(),
    retry_count: z.int().min(0).max(1000).nullish(),
    payload: anObject.nullish(),
    metadata: anObject.nullish(),
  })
}

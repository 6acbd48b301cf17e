import { z } from 'zod'
import { liveStatuses } from './job.ts'

const name = z.string().min(1).max(200)
const age = z.number().min(0).max(1e9)

/** What one asks for jobs by, at every door. Age counts from when a job was enqueued; once it has ended or failed, from then. */
export const jobFilterFields = {
  user: name.optional(),
  project: name.optional(),
  task: name.optional(),
  queue: name.optional(),
  model: name.optional(),
  /** An agent's id, or its name for all its incarnations. */
  agent: name.optional(),
  /** Looked for, in either case, in id, task, user, project, error and payload. */
  text: z.string().min(1).max(1000).optional(),
  older_than_seconds: age.optional(),
  newer_than_seconds: age.optional(),
} as const

const filter = z.strictObject(jobFilterFields)

/** A field that is left out does not restrict. */
export type JobFilter = z.output<typeof filter>

/** Which live jobs a change of many is for. Nothing named is refused, unless `all` says that it is meant. */
export const jobSelectionFields = {
  ...jobFilterFields,
  status: z
    .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
    .pipe(z.array(z.enum(liveStatuses)).min(1).max(liveStatuses.length))
    .optional(),
  /** The shape of an error, as the list of dead letters has it. */
  error: z.string().min(1).max(1000).optional(),
  all: z.literal(true).optional(),
} as const

const selection = z.strictObject(jobSelectionFields)

/** Which live jobs, as `change_jobs` takes it. */
export type JobSelection = z.output<typeof selection>

/** What has not been given to an agent: what a flush is for. */
export const waitingStatuses = ['scheduled', 'deferred', 'paused', 'pending'] as const

export const bulkChanges = ['cancel', 'requeue', 'delete', 'priority'] as const
export type BulkChange = (typeof bulkChanges)[number]

/** What became of the jobs that a filter named, or would become of them on a dry run. */
export const bulkAnswer = z
  .object({
    dry_run: z.boolean(),
    changed: z.int(),
    asked_to_stop: z.int().describe('Jobs that run: they hold what they have until their processes are gone.'),
    busy: z.int().describe('Somebody else was changing them at that moment: they were left as they are.'),
    examples: z.array(z.string()).readonly().describe('The first ten ids.'),
    next_cursor: z.string().nullable().describe('Where to go on; null: all were looked at.'),
  })
  .readonly()
  .meta({ id: 'BulkAnswer' })
export type BulkAnswer = z.output<typeof bulkAnswer>

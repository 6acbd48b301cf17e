import { z } from 'zod'

const time = z.iso.datetime()
const names = z.array(z.string()).readonly()

/** Dead letters of one error, as every door shows them. */
const deadLetterGroup = z
  .object({
    error: z
      .string()
      .describe('The error without what differs from one time to the next; the filter `error` takes it.'),
    jobs: z.int(),
    first_at: time,
    last_at: time,
    tasks: names,
    queues: names,
    users: names.describe('20 at most.'),
    example: z
      .object({
        job_id: z.string(),
        task: z.string(),
        user: z.string().nullable(),
        project: z.string().nullable(),
        queue: z.string(),
        attempts: z.int(),
        max_attempts: z.int(),
        failed_at: time,
        agent_id: z.string().nullable(),
        error: z.record(z.string(), z.unknown()).readonly().nullable(),
        payload: z.record(z.string(), z.unknown()).readonly(),
      })
      .readonly()
      .describe('The latest of them, whole.'),
  })
  .readonly()
  .meta({ id: 'DeadLetterGroup' })
export type DeadLetterGroup = z.output<typeof deadLetterGroup>

export const deadLetters = z
  .object({
    groups: z.array(deadLetterGroup).readonly(),
    is_cut: z.boolean().describe('There are more than were counted: the latest of them stand for all.'),
  })
  .readonly()
export type DeadLetters = z.output<typeof deadLetters>

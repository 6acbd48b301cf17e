import { z } from 'zod'
import { jobStatuses } from './job.ts'

/** An event of a job, as every door shows it. */
export const jobEvent = z
  .object({
    id: z.int(),
    created_at: z.iso.datetime(),
    event_type: z.string(),
    job_id: z.string().nullable(),
    job_type: z.string().nullable(),
    from_status: z.enum(jobStatuses).nullable(),
    to_status: z.enum(jobStatuses).nullable(),
    token: z.int().nullable(),
    agent_id: z.string().nullable(),
    actor: z.string().nullable(),
    conflict_reason: z.string().nullable(),
    resources: z
      .array(z.string())
      .readonly()
      .nullable()
      .describe('With assigned: what was granted. With the end of a claim: what was freed.'),
    details: z.record(z.string(), z.unknown()).readonly().nullable(),
  })
  .readonly()
  .meta({ id: 'JobEvent' })
export type EventView = z.output<typeof jobEvent>

import { z } from 'zod'
import { jobStatuses } from './job.ts'

/** Counted from 1, and no further than a thousand: behind a million nobody waits for the exact figure. */
export const countedPlace = z.union([z.int().min(1), z.literal('1000+')])
export type CountedPlace = z.output<typeof countedPlace>

const time = z.string().describe('ISO 8601 with offset.')

/** A job that another one waits for. */
export const parentLink = z
  .object({ job_id: z.string(), status: z.enum(jobStatuses), needs: z.enum(['success', 'any']) })
  .readonly()
export type ParentLink = z.output<typeof parentLink>

const explanationLink = z
  .object({
    resource: z.string(),
    state: z.enum(['held', 'reserved', 'paused', 'switched off', 'free']),
    job_id: z.string().optional(),
    user: z.string().optional(),
    task: z.string().optional(),
    status: z.enum(jobStatuses).optional(),
    agent_id: z.string().optional(),
    since: time.optional(),
  })
  .readonly()
export type ExplanationLink = z.output<typeof explanationLink>

/** Why a job waits, or what it does instead, as `interlock.explain_job` puts it. Times in ISO 8601. */
export const explanation = z
  .object({
    job_id: z.string(),
    status: z.enum(jobStatuses),
    sentence: z.string().describe('The whole answer in one English sentence.'),
    waits_for: z
      .array(parentLink)
      .readonly()
      .optional()
      .describe('Of a deferred job: those that it still waits for, at most a hundred.'),
    queued_at: time.optional(),
    request_id: z.string().optional().describe('What a running job has asked a person and waits for.'),
    obstacle: z.object({ resource: z.string(), kind: z.string() }).readonly().optional(),
    blocked_by_job_id: z.string().optional(),
    conflict_reason: z.string().optional(),
    chain: z
      .array(explanationLink)
      .readonly()
      .optional()
      .describe('Who holds or reserves what it waits for, what that one waits for, down to a job that runs.'),
    place_in_lane: countedPlace.optional(),
    lane_rank: countedPlace.optional(),
    queue_position: countedPlace.optional(),
    reserving: z.boolean().optional(),
    may_reserve: z.boolean().optional(),
    may_reserve_at: time.optional(),
  })
  .readonly()
  .meta({ id: 'Explanation' })
export type Explanation = z.output<typeof explanation>

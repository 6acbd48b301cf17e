import { z } from 'zod'

/** What is limited: everything, a queue or a task. */
export const backlogScope = z
  .string()
  .regex(
    /^(all|queue:[a-z][a-z0-9_-]{0,62}|task:[A-Za-z0-9][A-Za-z0-9._/-]{0,127})$/,
    'must be all, queue:NAME or task:NAME',
  )

/** What may be said of it; null and what is left out with it: any number. */
export const backlogSettings = z.strictObject({
  max_unfinished: z.int().min(0).max(10_000_000).nullable(),
  when_full: z.enum(['refuse', 'drop_oldest']).optional(),
})

export type BacklogSettings = z.output<typeof backlogSettings>

/** A limit of unfinished jobs, waiting or running, as every door shows it. */
export const backlogLimit = z
  .object({
    scope: z.string().describe('all, queue:NAME or task:NAME.'),
    max_unfinished: z.int().nullable().describe('Null: any number.'),
    when_full: z.enum(['refuse', 'drop_oldest']),
    refuse_after_wait_seconds: z
      .number()
      .nullable()
      .describe('Of a queue: it takes no jobs while its next one has waited for an agent for so long; null: it does.'),
    unfinished: z.int().nullable(),
    is_full: z.boolean(),
    is_refusing: z.boolean().describe('Whether the next job would be answered with queue_full.'),
    reason: z.string().nullable().describe('Why, or what happens instead; null where there is room.'),
  })
  .readonly()
  .meta({ id: 'BacklogLimit' })
export type BacklogLimit = z.output<typeof backlogLimit>

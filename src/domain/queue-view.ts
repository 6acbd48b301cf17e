import { z } from 'zod'

const time = z.iso.datetime({ offset: true })
const seconds = z.int()

/** A queue's policy, the columns of its row, as every door shows it. */
export const queueView = z
  .object({
    name: z.string(),
    is_paused: z.boolean().describe('A paused queue takes jobs and starts none.'),
    tasks: z.array(z.string()).readonly().nullable().describe('The tasks that it knows. Null: any.'),
    scheduling: z.enum(['fair', 'fifo']),
    priority_step_seconds: z
      .number()
      .describe('The head start of one priority over the next; 1e9 means strict priorities.'),
    patience_seconds: z.union([z.number(), z.literal('Infinity')]),
    user_weights: z.record(z.string(), z.int()).readonly().nullable(),
    timeout_seconds: seconds,
    ttl_seconds: seconds.describe('How long a job may wait before it expires; 0: for ever.'),
    max_attempts: z.int(),
    retry_delays_seconds: z.array(seconds).readonly(),
    retries_per_minute: z.int().nullable().describe('Null: any number.'),
    request_ttl_seconds: seconds,
    result_retention_seconds: seconds,
    failure_retention_seconds: seconds,
    finished_retention_seconds: seconds,
    dead_letter_retention_seconds: seconds,
    max_unfinished: z.int().nullable().describe('Null: any number.'),
    when_full: z.enum(['refuse', 'drop_oldest']),
    refuse_after_wait_seconds: z.number().nullable(),
    heartbeat_seconds: seconds.nullable(),
    created_at: time,
    updated_at: time,
  })
  .readonly()
  .meta({ id: 'Queue' })
/** The settings by name too: what a newer server adds is passed on as it came. */
export type QueueView = z.output<typeof queueView> & { readonly [setting: string]: unknown }

/** A limit of a resource or of a pattern, and how much of it is used. */
export const resourceView = z
  .object({
    pattern: z.string(),
    capacity: z.int().nullable().describe('Null: unlimited.'),
    starts_per_minute: z.int().nullable().describe('Null: any number.'),
    is_paused: z.boolean(),
    is_pause_only: z.boolean().describe('It is there for the pause alone: the capacity is another limit’s.'),
    held: z.int(),
    reserved: z.int(),
    waiting_lanes: z.int(),
    updated_at: z.iso.datetime(),
  })
  .readonly()
  .meta({ id: 'Resource' })
export type ResourceView = z.output<typeof resourceView>

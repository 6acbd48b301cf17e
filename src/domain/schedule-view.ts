import { z } from 'zod'
import { missedWays, scheduledJob } from './schedule-request.ts'

const time = z.iso.datetime()

/** What the doors answer about a schedule: JSON, snake_case, ISO 8601 times. */
export const scheduleView = z
  .object({
    name: z.string(),
    is_paused: z.boolean(),
    cron: z.string(),
    time_zone: z.string(),
    missed: z.enum(missedWays),
    missed_limit: z.int(),
    job: scheduledJob,
    next_at: time.nullable().describe('Null: paused, or never again. In the past: no coordinator is there.'),
    next_times: z
      .array(time)
      .readonly()
      .describe('From now on, as the clock of its zone strikes; of a paused one, what they would be.'),
    last_at: time.nullable(),
    last_job_id: z.string().nullable(),
    last_problem: z.string().nullable().describe('Why the latest slot has no job.'),
    created_at: time,
    updated_at: time,
  })
  .readonly()
  .meta({ id: 'Schedule' })
export type ScheduleView = z.output<typeof scheduleView>

export const schedulePage = z
  .object({ schedules: z.array(scheduleView).readonly(), next_cursor: z.string().nullable() })
  .readonly()
export type SchedulePage = z.output<typeof schedulePage>

/** What setting a schedule came to. */
export type ScheduleOutcome = 'created' | 'changed' | 'unchanged'

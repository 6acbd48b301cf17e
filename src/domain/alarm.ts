import { z } from 'zod'

/** What can be alarming; the words of interlock.raised_alarms. */
export const alarmRules = [
  'queue_depth',
  'failed_jobs',
  'dead_letter',
  'oldest_wait',
  'no_agent',
  'old_snapshot',
] as const
export type AlarmRule = (typeof alarmRules)[number]

/** An alarm that was raised and is not over. */
export const alarmView = z
  .object({
    rule: z.enum(alarmRules),
    subject: z.string().describe('The queue or the route that it is about; empty: the database.'),
    value: z.number(),
    bound: z.number(),
    message: z.string().describe('The same as a sentence.'),
    raised_at: z.string(),
    seen_at: z.string().describe('When its condition last held.'),
  })
  .readonly()
  .meta({ id: 'Alarm' })
export type AlarmView = z.output<typeof alarmView>

/** A column of interlock.alarm_policy; null switches a rule off. */
export interface AlarmPolicy {
  readonly queue_depth: number | null
  readonly failed_jobs: number | null
  readonly failed_window_seconds: number
  readonly dead_letter_seconds: number | null
  readonly oldest_wait_seconds: number | null
  readonly unserved_seconds: number | null
  readonly old_snapshot_seconds: number | null
  readonly clear_seconds: number
  /** Somebody has a webhook. */
  readonly is_delivered: boolean
}

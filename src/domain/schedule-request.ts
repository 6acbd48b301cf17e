import { z } from 'zod'
import { ContractError, checkContract } from './contract.ts'
import { checkJobRequest, type JobRequest, jobRequestFields } from './job-request.ts'

/** What becomes of the slots of a schedule that no coordinator was there for. */
export const missedWays = ['once', 'all', 'skip'] as const
export type MissedWay = (typeof missedWays)[number]

/** Who names its own id or time leaves the schedule nothing to do. */
const notByTheClock = ['id', 'run_at', 'delay_seconds'] as const

export const scheduleName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1 to 63 letters, digits, dots, dashes or underscores')

const cron = z
  .string()
  .transform((text) => text.trim().replace(/\s+/g, ' '))
  .pipe(
    z
      .string()
      .max(200)
      .regex(
        /^(@(hourly|daily|weekly|monthly|yearly)|[\dA-Za-z*?,/#+-]+( [\dA-Za-z*?,/#+-]+){4})$/,
        'must be five parts (minute, hour, day, month, weekday), or @hourly, @daily, @weekly, @monthly, @yearly',
      ),
  )

const timeZone = z.string().refine(isTimeZone, 'is not the name of a time zone, as Europe/Berlin')

const scheduleFields = {
  cron: cron.describe('minute hour day month weekday, or @hourly, @daily, @weekly, @monthly, @yearly.'),
  time_zone: timeZone.default('UTC').describe('As Europe/Berlin.'),
  missed: z
    .enum(missedWays)
    .default('once')
    .describe('What becomes of the times that nobody was there for: once, one job for all of them.'),
  missed_limit: z.int().min(1).max(1000).default(100).describe('With all: the latest so many.'),
  // Who applies a file does not resume what somebody has paused.
  is_paused: z.boolean().optional().describe('Unless named it stays as it is.'),
} as const

const written = z.strictObject({ ...scheduleFields, job: z.unknown() })

const { id: _id, run_at: _runAt, delay_seconds: _delaySeconds, ...scheduledFields } = jobRequestFields

/** The job of a schedule: what is enqueued each time. */
export const scheduledJob = z.strictObject(scheduledFields).meta({ id: 'ScheduledJob' })

/** What the settings are to those who write them; the job is checked by itself, so that its fields are known. */
export const scheduleRequest = z.strictObject({ ...scheduleFields, job: scheduledJob }).meta({ id: 'ScheduleRequest' })

/** The settings of a schedule, as `set_schedule` takes them. */
export interface ScheduleRequest extends Omit<z.output<typeof written>, 'job'> {
  readonly job: JobRequest
}

/** Checks the settings of a schedule; whether its cron has any times is for who computes them. Throws a ContractError. */
export function checkScheduleRequest(body: unknown): ScheduleRequest {
  const request = checkContract(written, body)
  return { ...request, job: checkJobOfSchedule(request.job) }
}

function checkJobOfSchedule(body: unknown): JobRequest {
  if (body === undefined) throw new ContractError([{ field: 'job', message: 'is required' }])
  try {
    const job = checkJobRequest(body)
    const misplaced = notByTheClock.filter((field) => job[field] !== undefined)
    if (misplaced.length === 0) return job
    throw new ContractError(misplaced.map((field) => ({ field, message: 'is not for a job that comes by the clock' })))
  } catch (error) {
    if (!(error instanceof ContractError)) throw error
    throw new ContractError(
      error.violations.map((violation) => ({
        ...violation,
        field: violation.field === '' ? 'job' : `job.${violation.field}`,
      })),
    )
  }
}

function isTimeZone(name: string): boolean {
  // Offsets are times, not zones: they know no summer.
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

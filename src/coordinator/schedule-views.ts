import { InterlockError } from '../domain/errors.ts'
import type { SchedulePage, ScheduleView } from '../domain/schedule-view.ts'
import type { Queryable } from '../store/queryable.ts'
import { listSchedules, readSchedule, type ScheduleRow } from '../store/schedules.ts'
import { nextTimes } from './timetable.ts'

/** How many of the times to come are shown, unless more are asked for. */
export const shownTimes = 5
export const maxShownTimes = 100

/** A schedule with its next times. Throws schedule_not_found. */
export async function viewSchedule(database: Queryable, name: string, times = shownTimes): Promise<ScheduleView> {
  const row = await readSchedule(database, name)
  if (row !== null) return scheduleView(row, times)
  throw new InterlockError('schedule_not_found', `schedule ${name} does not exist`, {
    field: 'name',
    hint: 'interlock schedule list shows those that there are.',
  })
}

/** By name, a page at a time; the cursor is the last name of the page before. */
export async function viewSchedules(
  database: Queryable,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<SchedulePage> {
  const rows = await listSchedules(database, { after: cursor ?? '', limit: limit + 1 })
  const shown = rows.slice(0, limit)
  return {
    schedules: shown.map((row) => scheduleView(row, shownTimes)),
    next_cursor: rows.length > limit ? (shown.at(-1)?.name ?? null) : null,
  }
}

function scheduleView(row: ScheduleRow, count: number): ScheduleView {
  const times = timesOf(row, count)
  const nextAt = row.nextAt ?? times[0] ?? null
  return {
    name: row.name,
    is_paused: row.isPaused,
    cron: row.cron,
    time_zone: row.timeZone,
    missed: row.missed,
    missed_limit: row.missedLimit,
    job: row.job,
    next_at: row.isPaused ? null : (nextAt?.toISOString() ?? null),
    next_times: times.map((time) => time.toISOString()),
    last_at: row.lastAt?.toISOString() ?? null,
    last_job_id: row.lastJobId,
    last_problem: row.lastProblem,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  }
}

/** None where somebody wrote a cron by SQL that cannot be read: its problem says so. */
function timesOf(row: ScheduleRow, count: number): readonly Date[] {
  try {
    return nextTimes(row, row.lookedAt, count)
  } catch (error) {
    if (error instanceof InterlockError) return []
    throw error
  }
}

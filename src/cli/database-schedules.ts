import { viewSchedule, viewSchedules } from '../coordinator/schedule-views.ts'
import { checkTimetable } from '../coordinator/timetable.ts'
import type { Database } from '../store/database.ts'
import { deleteSchedule, pauseSchedule, runSchedule, setSchedule } from '../store/schedules.ts'
import type { ScheduleBackend } from './schedule-backend.ts'

/** Schedules straight in their database. */
export function databaseSchedules(database: Database, actor: string | null): ScheduleBackend {
  return {
    list: (cursor) => viewSchedules(database, { cursor: cursor ?? undefined, limit: 100 }),
    show: (name, times) => viewSchedule(database, name, times),
    async set(name, request) {
      checkTimetable({ cron: request.cron, timeZone: request.time_zone }, new Date())
      await setSchedule(database, name, request, { actor })
    },
    run: (name) => runSchedule(database, name, { actor }),
    pause: (name, isPaused) => pauseSchedule(database, name, { isPaused, actor }),
    delete: (name) => deleteSchedule(database, name, { actor }),
  }
}

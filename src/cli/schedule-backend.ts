import type { ScheduleRequest } from '../domain/schedule-request.ts'
import type { SchedulePage, ScheduleView } from '../domain/schedule-view.ts'

/** The part of a backend that is about schedules. */
export interface ScheduleBackend {
  list(cursor: string | null): Promise<SchedulePage>
  /** With so many times to come. */
  show(name: string, times: number): Promise<ScheduleView>
  /** Makes it, or makes it say this. */
  set(name: string, request: ScheduleRequest): Promise<void>
  /** Enqueues its job now. */
  run(name: string): Promise<{ readonly id: string; readonly status: string }>
  pause(name: string, isPaused: boolean): Promise<void>
  delete(name: string): Promise<void>
}

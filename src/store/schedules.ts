import { asJobId } from '../domain/ids.ts'
import type { JobStatus } from '../domain/job.ts'
import type { JobRequest } from '../domain/job-request.ts'
import type { MissedWay, ScheduleRequest } from '../domain/schedule-request.ts'
import type { ScheduleOutcome } from '../domain/schedule-view.ts'
import type { EnqueuedJob, Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'

/** When a schedule's clock strikes. */
export interface Timetable {
  readonly cron: string
  readonly timeZone: string
}

/** A schedule whose slot has come, or whose next one (null) is not known yet. */
export interface DueSchedule extends Timetable {
  readonly name: string
  readonly missed: MissedWay
  readonly missedLimit: number
  readonly nextAt: Date | null
  readonly revision: number
  readonly lookedAt: Date
}

/** What was computed of a due schedule: its slots, rising, and the next one (null: there is none). */
export interface ComputedSlots {
  readonly slots: readonly Date[]
  readonly nextAt: Date | null
  readonly problem: string | null
}

export interface Fired {
  /** `passed`: another coordinator was faster, or the schedule has changed. */
  readonly outcome: 'fired' | 'planned' | 'failed' | 'passed'
  readonly jobIds: readonly string[]
}

export interface ScheduleRow extends Timetable {
  readonly name: string
  readonly isPaused: boolean
  readonly missed: MissedWay
  readonly missedLimit: number
  readonly job: JobRequest
  /** Null: to be computed, or none. */
  readonly nextAt: Date | null
  readonly lastAt: Date | null
  readonly lastJobId: string | null
  readonly lastProblem: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly lookedAt: Date
}

type Actor = Pick<Motive, 'actor'>

/** Makes a schedule, or makes one say this. Throws invalid_argument, unknown_task, queue_not_found. */
export async function setSchedule(
  queryable: Queryable,
  name: string,
  request: ScheduleRequest,
  { actor }: Actor = {},
): Promise<ScheduleOutcome> {
  const rows = await queryable.query<{ readonly outcome: ScheduleOutcome }>(
    'select s.outcome from interlock.set_schedule($1, $2::jsonb, $3) as s',
    [name, JSON.stringify(request), actor ?? null],
  )
  return onlyRow(rows).outcome
}

/** An unlocked look: several coordinators may see the same, and one of them gets it. */
export async function dueSchedules(queryable: Queryable): Promise<readonly DueSchedule[]> {
  return queryable.query<DueSchedule>(
    `select d.name, d.cron, d.time_zone as "timeZone", d.missed, d.missed_limit as "missedLimit",
       d.next_at as "nextAt", d.revision, d.looked_at as "lookedAt"
     from interlock.due_schedules() as d`,
    [],
    'due_schedules',
  )
}

/** Enqueues what is due of a schedule and stores its next slot, if it still is as it was seen. */
export async function fireSchedule(
  queryable: Queryable,
  { name, revision }: Pick<DueSchedule, 'name' | 'revision'>,
  { slots, nextAt, problem }: ComputedSlots,
): Promise<Fired> {
  const rows = await queryable.query<Fired>(
    `select f.outcome, f.job_ids as "jobIds"
     from interlock.fire_schedule($1, $2, $3::timestamptz[], $4::timestamptz, $5) as f`,
    [name, revision, slots, nextAt ?? 'infinity', problem],
  )
  return onlyRow(rows)
}

/** Enqueues its job now, by hand; with a key of the caller's own once. Throws schedule_not_found, what enqueueing throws. */
export async function runSchedule(
  queryable: Queryable,
  name: string,
  { actor, key }: Actor & { readonly key?: string | null } = {},
): Promise<{ readonly id: EnqueuedJob['id']; readonly status: JobStatus }> {
  const rows = await queryable.query<{ readonly job_id: string; readonly status: JobStatus }>(
    'select r.job_id, r.status from interlock.run_schedule($1, $2, $3) as r',
    [name, actor ?? null, key ?? null],
  )
  const { job_id: id, status } = onlyRow(rows)
  return { id: asJobId(id), status }
}

/** Throws schedule_not_found. */
export async function pauseSchedule(
  queryable: Queryable,
  name: string,
  { isPaused, actor }: Actor & { readonly isPaused: boolean },
): Promise<void> {
  await queryable.query('select from interlock.pause_schedule($1, $2, $3)', [name, isPaused, actor ?? null])
}

/** Throws schedule_not_found. */
export async function deleteSchedule(queryable: Queryable, name: string, { actor }: Actor = {}): Promise<void> {
  await queryable.query('select interlock.delete_schedule($1, $2)', [name, actor ?? null])
}

const columns = `s.name, s.is_paused as "isPaused", s.cron, s.time_zone as "timeZone", s.missed,
  s.missed_limit as "missedLimit", s.job, case when isfinite(s.next_at) then s.next_at end as "nextAt", s.last_at as "lastAt",
  s.last_job_id as "lastJobId", s.last_problem as "lastProblem", s.created_at as "createdAt", s.updated_at as "updatedAt",
  interlock.clock() as "lookedAt"`

export async function readSchedule(queryable: Queryable, name: string): Promise<ScheduleRow | null> {
  const [row] = await queryable.query<ScheduleRow>(
    `select ${columns} from interlock.schedules as s where s.name = $1`,
    [name],
  )
  return row ?? null
}

/** By name, those after one (empty: from the start). */
export async function listSchedules(
  queryable: Queryable,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly ScheduleRow[]> {
  return queryable.query<ScheduleRow>(
    `select ${columns} from interlock.schedules as s where s.name > $1 order by s.name limit $2`,
    [after, limit],
  )
}

function onlyRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new TypeError('a verb answered without a row')
  return row
}

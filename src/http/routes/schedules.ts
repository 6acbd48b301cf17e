import { z } from 'zod'
import { maxShownTimes, shownTimes, viewSchedule, viewSchedules } from '../../coordinator/schedule-views.ts'
import { checkTimetable } from '../../coordinator/timetable.ts'
import { checkContract } from '../../domain/contract.ts'
import { jobView } from '../../domain/job-view.ts'
import { checkScheduleRequest, scheduleName } from '../../domain/schedule-request.ts'
import { readJob } from '../../store/job-reader.ts'
import { deleteSchedule, pauseSchedule, runSchedule, setSchedule } from '../../store/schedules.ts'
import { text, wholeNumber } from '../query.ts'
import { type Answer, type Call, idempotencyKey, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'

const listQuery = z.strictObject({
  limit: wholeNumber({ min: 1, max: 500 }).default(100),
  cursor: z.string({ error: 'must be given once' }).max(63).optional(),
})
const showQuery = z.strictObject({ times: wholeNumber({ min: 1, max: maxShownTimes }).default(shownTimes) })
const actorQuery = z.strictObject({ actor: text.optional() })
const motive = z.strictObject({ actor: z.string().min(1).max(200).optional() })
const nameInPath = z.strictObject({ name: scheduleName })

/** Jobs that come by the clock. */
export function scheduleRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/schedules', scope: 'read', answer: list },
    { method: 'GET', path: '/schedules/:name', scope: 'read', answer: show },
    { method: 'PUT', path: '/schedules/:name', scope: 'operate', answer: put },
    { method: 'DELETE', path: '/schedules/:name', scope: 'operate', answer: remove },
    { method: 'POST', path: '/schedules/:name/run', scope: 'operate', answer: run },
    { method: 'POST', path: '/schedules/:name/pause', scope: 'operate', answer: (call) => pause(call, true) },
    { method: 'POST', path: '/schedules/:name/resume', scope: 'operate', answer: (call) => pause(call, false) },
  ]

  async function list({ request }: Call): Promise<Answer> {
    const page = checkContract(listQuery, { ...request.query })
    return { status: 200, body: await viewSchedules(database, page) }
  }

  async function show({ request }: Call): Promise<Answer> {
    const { times } = checkContract(showQuery, { ...request.query })
    return { status: 200, body: await viewSchedule(database, pathParameter(request, 'name'), times) }
  }

  /** The whole of it: what is left out has its default, but for a pause, which stays as it is. */
  async function put({ request, actorOf }: Call): Promise<Answer> {
    const { name } = checkContract(nameInPath, { name: pathParameter(request, 'name') })
    const { actor } = checkContract(actorQuery, { ...request.query })
    const schedule = checkScheduleRequest(request.body)
    checkTimetable({ cron: schedule.cron, timeZone: schedule.time_zone }, new Date())
    const outcome = await setSchedule(database, name, schedule, { actor: actorOf(actor) })
    return {
      status: outcome === 'created' ? 201 : 200,
      ...(outcome === 'created' ? { headers: { Location: `/schedules/${name}` } } : {}),
      body: await viewSchedule(database, name),
    }
  }

  async function remove({ request, actorOf }: Call): Promise<Answer> {
    const name = pathParameter(request, 'name')
    const { actor } = checkContract(actorQuery, { ...request.query })
    await deleteSchedule(database, name, { actor: actorOf(actor) })
    return { status: 200, body: { name, status: 'deleted' } }
  }

  async function run({ request, actorOf }: Call): Promise<Answer> {
    const name = pathParameter(request, 'name')
    const { actor } = checkContract(motive, request.body ?? {})
    const { id, status } = await runSchedule(database, name, { actor: actorOf(actor), key: idempotencyKey(request) })
    const job = await readJob(database, id)
    return {
      status: 201,
      headers: { Location: `/jobs/${encodeURIComponent(id)}` },
      body: job === null ? { id, status } : jobView(job),
    }
  }

  async function pause({ request, actorOf }: Call, isPaused: boolean): Promise<Answer> {
    const name = pathParameter(request, 'name')
    const { actor } = checkContract(motive, request.body ?? {})
    await pauseSchedule(database, name, { isPaused, actor: actorOf(actor) })
    return { status: 200, body: await viewSchedule(database, name) }
  }
}

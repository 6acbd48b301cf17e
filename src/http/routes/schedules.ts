import { z } from 'zod'
import { maxShownTimes, shownTimes, viewSchedule, viewSchedules } from '../../coordinator/schedule-views.ts'
import { checkTimetable } from '../../coordinator/timetable.ts'
import { checkContract } from '../../domain/contract.ts'
import { jobStatuses } from '../../domain/job.ts'
import { jobAnswer, jobView } from '../../domain/job-view.ts'
import { checkScheduleRequest, scheduleName, scheduleRequest } from '../../domain/schedule-request.ts'
import { schedulePage, scheduleView } from '../../domain/schedule-view.ts'
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
const deletedSchedule = z.object({ name: z.string(), status: z.literal('deleted') })
/** The job that it enqueued; retention may be shorter than the blink of an eye, and then it has no more than its id. */
const runJob = z.object({ ...jobAnswer.unwrap().partial().shape, id: z.string(), status: z.enum(jobStatuses) })
const nameInPath = z.strictObject({ name: scheduleName })

/** Jobs that come by the clock. */
export function scheduleRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/schedules',
      scope: 'read',
      name: 'list_schedules',
      summary: 'The schedules, by name, each with its next times, a page at a time.',
      query: listQuery,
      answers: { 200: schedulePage },
      answer: list,
    },
    {
      method: 'GET',
      path: '/schedules/:name',
      scope: 'read',
      name: 'get_schedule',
      summary: 'One schedule, with as many of its next times as are asked for.',
      query: showQuery,
      answers: { 200: scheduleView },
      answer: show,
    },
    {
      method: 'PUT',
      path: '/schedules/:name',
      scope: 'operate',
      name: 'set_schedule',
      summary:
        'Makes or replaces a schedule, which enqueues its job by the clock; all but a pause that is left out has its default.',
      query: actorQuery,
      body: scheduleRequest,
      answers: { 200: scheduleView, 201: scheduleView },
      answer: put,
    },
    {
      method: 'DELETE',
      path: '/schedules/:name',
      scope: 'operate',
      name: 'delete_schedule',
      summary: 'Deletes a schedule for good; the jobs that it has enqueued stay.',
      query: actorQuery,
      answers: { 200: deletedSchedule },
      answer: remove,
    },
    {
      method: 'POST',
      path: '/schedules/:name/run',
      scope: 'operate',
      name: 'run_schedule',
      summary: 'Enqueues the job of a schedule now, beside its times, even while it is paused.',
      body: motive,
      isBodyOptional: true,
      takesIdempotencyKey: true,
      answers: { 201: runJob },
      answer: run,
    },
    {
      method: 'POST',
      path: '/schedules/:name/pause',
      scope: 'operate',
      name: 'pause_schedule',
      summary: 'Stops a schedule from enqueueing until it is resumed; its times in between are not made up for.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: scheduleView },
      answer: (call) => pause(call, true),
    },
    {
      method: 'POST',
      path: '/schedules/:name/resume',
      scope: 'operate',
      name: 'resume_schedule',
      summary: 'Lets a paused schedule enqueue again, from its next time on.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: scheduleView },
      answer: (call) => pause(call, false),
    },
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

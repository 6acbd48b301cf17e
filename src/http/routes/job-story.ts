import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { type EventView, jobEvent } from '../../domain/event-view.ts'
import { explanation } from '../../domain/explanation.ts'
import { isJobId } from '../../domain/ids.ts'
import { type JobEvent, readTimeline } from '../../store/events.ts'
import { explainJob, readJob } from '../../store/job-reader.ts'
import { wholeNumber } from '../query.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

const timelineQuery = z.strictObject({
  after: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER }).default(0),
  limit: wholeNumber({ min: 1, max: 1000 }).default(1000),
})
const timelinePage = z.object({
  job_id: z.string(),
  events: z.array(jobEvent),
  next_after: z.int().nullable().describe('Where to go on; null: these were the last so far.'),
})

/** What happened to a job, and why it waits. */
export function jobStoryRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/jobs/:id/timeline',
      scope: 'read',
      name: 'get_job_timeline',
      summary: 'What happened to a job, the oldest first: from which state to which, when, by whom and why.',
      query: timelineQuery,
      answers: { 200: timelinePage },
      answer: timeline,
    },
    {
      method: 'GET',
      path: '/jobs/:id/explain',
      scope: 'read',
      name: 'explain_job',
      summary: 'Why a job waits, and who has what it waits for, in a sentence and in fields.',
      answers: { 200: explanation },
      answer: explain,
    },
  ]

  async function timeline({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { after, limit } = checkContract(timelineQuery, { ...request.query })
    if (!isJobId(id)) throw jobNotFound(id)
    const events = await readTimeline(database, id, { afterId: after, limit })
    // The log outlives the job, and the job may outlive its log: only where there is neither, nobody has heard of it.
    if (events.length === 0 && (await readJob(database, id)) === null) throw jobNotFound(id)
    const next = events.length === limit ? (events.at(-1)?.id ?? null) : null
    return { status: 200, body: { job_id: id, events: events.map(eventView), next_after: next } }
  }

  async function explain({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    if (!isJobId(id)) throw jobNotFound(id)
    return { status: 200, body: await explainJob(database, id) }
  }
}

function eventView(event: JobEvent): EventView {
  return {
    id: event.id,
    created_at: event.createdAt.toISOString(),
    event_type: event.eventType,
    job_id: event.jobId,
    job_type: event.jobType,
    from_status: event.fromStatus,
    to_status: event.toStatus,
    token: event.token,
    agent_id: event.agentId,
    actor: event.actor,
    conflict_reason: event.conflictReason,
    resources: event.resources,
    details: event.details,
  }
}

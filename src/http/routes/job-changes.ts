import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { isJobId, type JobId } from '../../domain/ids.ts'
import { jobStatuses } from '../../domain/job.ts'
import { jobRequestFields } from '../../domain/job-request.ts'
import { jobAnswer, jobView } from '../../domain/job-view.ts'
import { priorityNumber } from '../../domain/priority.ts'
import type { Database } from '../../store/database.ts'
import { readJob } from '../../store/job-reader.ts'
import {
  approveJob,
  cancelJob,
  deleteJob,
  type Motive,
  rejectJob,
  releaseJob,
  requeueJob,
  setPriority,
  startPausedJob,
} from '../../store/jobs.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

/** Why, and on whose behalf: both go into the job's log. */
export const motiveFields = {
  reason: z.string().max(4096).optional(),
  actor: z.string().min(1).max(200).optional(),
} as const
const motive = z.strictObject(motiveFields)
const newPriority = z.strictObject({ priority: jobRequestFields.priority.unwrap(), ...motiveFields })

/** What the verb said, and the job as it is now. Retention may be shorter than the blink of an eye: then it is gone. */
const changedJob = z
  .object({
    id: z.string(),
    status: z
      .enum([...jobStatuses, 'cancelling', 'released', 'withdrawn'])
      .optional()
      .describe('cancelling: it was asked to stop, and holds what it has until its process is gone.'),
    job: jobAnswer.nullable(),
  })
  .meta({ id: 'ChangedJob' })

type Change = (database: Database, id: JobId, motive: Motive) => Promise<string>

/** What a person does to a job. Each answers with what the verb said and with the job as it is now. */
export function jobChangeRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/jobs/:id/start',
      scope: 'operate',
      name: 'start_job',
      summary: 'Lets a paused job wait for its turn; it starts when nothing stands in its way.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob },
      answer: (call) => change(call, startPausedJob),
    },
    {
      method: 'POST',
      path: '/jobs/:id/approve',
      scope: 'operate',
      name: 'approve_job',
      summary: 'Approves a human_required job, which waits for its turn then; who and why goes into its log.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob },
      answer: (call) => change(call, approveJob),
    },
    {
      method: 'POST',
      path: '/jobs/:id/reject',
      scope: 'operate',
      name: 'reject_job',
      summary: 'Refuses the approval that a human_required job waits for: it is cancelled.',
      effect: 'destroy',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob },
      answer: (call) => change(call, rejectJob),
    },
    {
      method: 'POST',
      path: '/jobs/:id/release',
      scope: 'operate',
      name: 'release_job',
      summary:
        'Takes from a job or a lock all that it holds: a lock at once, a job is asked to stop first and answered with 202.',
      effect: 'destroy',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob, 202: changedJob },
      answer: (call) => change(call, releaseJob),
    },
    {
      method: 'POST',
      path: '/jobs/:id/priority',
      scope: 'operate',
      name: 'set_job_priority',
      summary: 'Gives a waiting job another priority: a name, or a number from 0 (critical) to 3 (low).',
      body: newPriority,
      answers: { 200: changedJob },
      answer: reprioritise,
    },
    {
      method: 'POST',
      path: '/jobs/:id/cancel',
      scope: 'operate',
      name: 'cancel_job',
      summary: 'Cancels a job: one that waits at once, one that runs is asked to stop and answered with 202.',
      effect: 'destroy',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob, 202: changedJob },
      answer: (call) => change(call, cancelJob),
    },
    {
      method: 'POST',
      path: '/jobs/:id/requeue',
      scope: 'operate',
      name: 'requeue_job',
      summary: 'Puts a job that has failed, or waits for its time, back in line at once.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob },
      answer: (call) => change(call, requeueJob),
    },
    {
      method: 'DELETE',
      path: '/jobs/:id',
      scope: 'operate',
      name: 'delete_job',
      summary: 'Deletes a job that waits or has failed for good; one that runs has to be cancelled first.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedJob },
      answer: (call) => change(call, deleteJob),
    },
  ]

  async function change({ request, actorOf }: Call, verb: Change): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { actor, reason } = checkContract(motive, request.body ?? {})
    if (!isJobId(id)) throw jobNotFound(id)
    return answerWith(id, await verb(database, id, { actor: actorOf(actor), reason }))
  }

  async function reprioritise({ request, actorOf }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { priority, actor, reason } = checkContract(newPriority, request.body ?? {})
    if (!isJobId(id)) throw jobNotFound(id)
    await setPriority(database, id, priorityNumber(priority), { actor: actorOf(actor), reason })
    return answerWith(id, null)
  }

  async function answerWith(id: JobId, said: string | null): Promise<Answer> {
    const job = await readJob(database, id)
    const status = said ?? job?.status
    // What runs was only asked to stop: its holder has to say that it has.
    return {
      status: status === 'cancelling' ? 202 : 200,
      body: { id, status, job: job === null ? null : jobView(job) },
    }
  }
}

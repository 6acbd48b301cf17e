import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { isJobId, type JobId } from '../../domain/ids.ts'
import { jobRequestFields } from '../../domain/job-request.ts'
import { jobView } from '../../domain/job-view.ts'
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

type Change = (database: Database, id: JobId, motive: Motive) => Promise<string>

/** What a person does to a job. Each answers with what the verb said and with the job as it is now. */
export function jobChangeRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'POST', path: '/jobs/:id/start', scope: 'operate', answer: (call) => change(call, startPausedJob) },
    { method: 'POST', path: '/jobs/:id/approve', scope: 'operate', answer: (call) => change(call, approveJob) },
    { method: 'POST', path: '/jobs/:id/reject', scope: 'operate', answer: (call) => change(call, rejectJob) },
    { method: 'POST', path: '/jobs/:id/release', scope: 'operate', answer: (call) => change(call, releaseJob) },
    { method: 'POST', path: '/jobs/:id/priority', scope: 'operate', answer: reprioritise },
    { method: 'POST', path: '/jobs/:id/cancel', scope: 'operate', answer: (call) => change(call, cancelJob) },
    { method: 'POST', path: '/jobs/:id/requeue', scope: 'operate', answer: (call) => change(call, requeueJob) },
    { method: 'DELETE', path: '/jobs/:id', scope: 'operate', answer: (call) => change(call, deleteJob) },
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

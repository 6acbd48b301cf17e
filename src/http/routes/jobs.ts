import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { InterlockError, isInterlockError } from '../../domain/errors.ts'
import { jobStatuses } from '../../domain/job.ts'
import { checkJobBatch, checkJobRequest, type JobRequest, jobBatch, jobRequest } from '../../domain/job-request.ts'
import { jobAnswer, jobSummary, jobSummaryView, jobView } from '../../domain/job-view.ts'
import { sealJobs } from '../../security/payload-encryption.ts'
import { listJobs } from '../../store/job-list.ts'
import { readJob } from '../../store/job-reader.ts'
import { type EnqueuedOnce, enqueueJobs, enqueueOnce } from '../../store/jobs.ts'
import { jobQueryFields, listOf, wholeNumber } from '../query.ts'
import { type Answer, type Call, idempotencyKey, pathParameter, type Route, replayed } from '../route.ts'
import type { Services } from '../services.ts'

const listQuery = z.strictObject({
  status: listOf(jobStatuses).optional(),
  ...jobQueryFields,
  limit: wholeNumber({ min: 1, max: 500 }).default(50),
  cursor: z.string({ error: 'must be given once' }).max(500).optional(),
})

/** A job that was just enqueued; retention may be shorter than the blink of an eye, and then it has no more than its id. */
const enqueuedJob = z.object({
  ...jobAnswer.unwrap().partial().shape,
  id: z.string(),
  status: z.enum(jobStatuses),
  is_duplicate: z.literal(true).optional(),
})
const enqueuedBatch = z.object({
  count: z.int(),
  jobs: z.array(z.object({ id: z.string(), status: z.enum(jobStatuses), is_duplicate: z.literal(true).optional() })),
})
const jobPage = z.object({ jobs: z.array(jobSummary), next_cursor: z.string().nullable() })

/** Enqueueing jobs, and looking at them. */
export function jobRoutes({ database, encryption }: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/jobs',
      scope: 'enqueue',
      name: 'enqueue_job',
      summary: 'Enqueues a job. With a unique_key that waits already, it answers 200 with the job that has it.',
      body: jobRequest,
      takesIdempotencyKey: true,
      answers: { 200: enqueuedJob, 201: enqueuedJob },
      answer: enqueueOne,
    },
    {
      method: 'POST',
      path: '/jobs/batch',
      scope: 'enqueue',
      name: 'enqueue_jobs',
      summary: 'Enqueues up to 1,000 jobs, all or none.',
      body: jobBatch,
      takesIdempotencyKey: true,
      answers: { 201: enqueuedBatch },
      answer: enqueueMany,
    },
    {
      method: 'GET',
      path: '/jobs',
      scope: 'read',
      name: 'list_jobs',
      summary: 'The jobs that fit a filter, live and finished, the newest first, a page at a time.',
      query: listQuery,
      answers: { 200: jobPage },
      answer: list,
    },
    {
      method: 'GET',
      path: '/jobs/:id',
      scope: 'read',
      name: 'get_job',
      summary: 'One job, whole: its state, input, result or error, and why it waits.',
      answers: { 200: jobAnswer },
      answer: show,
    },
  ]

  async function enqueueOne({ request, actorOf }: Call): Promise<Answer> {
    const job = checkJobRequest(request.body)
    const { jobs, isRepeated } = await enqueue([job], actorOf(), idempotencyKey(request))
    const [enqueued] = jobs
    if (enqueued === undefined) throw new TypeError('a job was enqueued without an id')
    const shown = await readJob(database, enqueued.id)
    // With a unique_key there may be one already: nothing was created then, and the answer is that one.
    const said = enqueued.isDuplicate ? { is_duplicate: true } : {}
    return {
      status: enqueued.isDuplicate ? 200 : 201,
      headers: { Location: `/jobs/${encodeURIComponent(enqueued.id)}`, ...replayed(isRepeated) },
      // Retention may be shorter than the blink of an eye; it was enqueued all the same.
      body: { ...(shown === null ? { id: enqueued.id, status: enqueued.status } : jobView(shown)), ...said },
    }
  }

  async function enqueueMany({ request, actorOf }: Call): Promise<Answer> {
    const wanted = checkJobBatch(request.body)
    const { jobs, isRepeated } = await enqueue(wanted, actorOf(), idempotencyKey(request)).catch((error: unknown) => {
      throw namedInBatch(error)
    })
    return {
      status: 201,
      headers: replayed(isRepeated),
      body: { count: jobs.length, jobs: jobs.map(enqueuedView) },
    }
  }

  async function enqueue(jobs: readonly JobRequest[], actor: string, key: string | null): Promise<EnqueuedOnce> {
    const sealed = sealJobs(encryption, jobs, key)
    if (key !== null) return enqueueOnce(database, key, sealed, { actor })
    return { jobs: await enqueueJobs(database, sealed, { actor }), isRepeated: false }
  }

  async function list({ request }: Call): Promise<Answer> {
    const { status: statuses, limit, cursor, ...filter } = checkContract(listQuery, { ...request.query })
    const page = await listJobs(database, { ...filter, statuses }, { limit, cursor })
    return { status: 200, body: { jobs: page.jobs.map(jobSummaryView), next_cursor: page.nextCursor } }
  }

  async function show({ request }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const job = await readJob(database, id)
    if (job === null) throw jobNotFound(id)
    return { status: 200, body: jobView(job) }
  }
}

export function jobNotFound(id: string): InterlockError {
  return new InterlockError('job_not_found', `job ${id} does not exist`)
}

function enqueuedView({ id, status, isDuplicate }: EnqueuedOnce['jobs'][number]) {
  return isDuplicate ? { id, status, is_duplicate: true } : { id, status }
}

/** The verb names the fields of a lone job without its place; in a batch of one, its place is known. */
function namedInBatch(error: unknown): unknown {
  if (!isInterlockError(error) || error.field === null || /^jobs(\[|$)/.test(error.field)) return error
  if (error.field === 'id' || error.field === 'idempotency_key') return error
  return new InterlockError(error.code, error.message, {
    field: `jobs[0].${error.field}`,
    hint: error.hint,
    cause: error,
  })
}

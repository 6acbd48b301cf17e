import { z } from 'zod'
import { completion, failure, giveBack, output, progress, started, step } from '../../domain/agent-request.ts'
import { checkContract } from '../../domain/contract.ts'
import { InterlockError } from '../../domain/errors.ts'
import { asFencingToken, isJobId } from '../../domain/ids.ts'
import { jobStatuses } from '../../domain/job.ts'
import { createAttemptStore, type HeldJob, type Verdict } from '../../store/attempts.ts'
import { readJob } from '../../store/job-reader.ts'
import { retryTransient } from '../../store/retry.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

const confirmed = z.object({ job_id: z.string() })
const written = z.object({ ...confirmed.shape, is_cut: z.boolean().describe('No more of its output is kept.') })
const nowIs = <const Status extends string>(...statuses: readonly Status[]) =>
  z.object({ ...confirmed.shape, status: z.enum(statuses) })

/** What the holder of a job says of it. Each call names the claim's token; with an old one it is stale_token. */
export function jobHolderRoutes({ database }: Services): readonly Route[] {
  const attempts = createAttemptStore(database)
  return [
    {
      method: 'POST',
      path: '/jobs/:id/started',
      scope: 'work',
      name: 'confirm_job_start',
      summary: 'Confirms, by its token, that a claimed job starts now; do not start it before this was accepted.',
      body: started,
      answers: { 200: nowIs('running') },
      answer: start,
    },
    {
      method: 'POST',
      path: '/jobs/:id/progress',
      scope: 'work',
      name: 'report_job_progress',
      summary: 'Says, by its token, how far a running job is, in percent and in words.',
      body: progress,
      answers: { 200: confirmed },
      answer: report,
      isQuiet: true,
    },
    {
      method: 'POST',
      path: '/jobs/:id/step',
      scope: 'work',
      name: 'report_step',
      summary: 'Says, by its token, at which step of its workflow a running job is.',
      body: step,
      answers: { 200: confirmed },
      answer: reportStep,
      isQuiet: true,
    },
    {
      method: 'POST',
      path: '/jobs/:id/output',
      scope: 'work',
      name: 'append_job_output',
      summary: 'Adds whole lines to what a running job has written, by its token; of each job at most 10 MiB are kept.',
      body: output,
      answers: { 200: written },
      answer: write,
      isQuiet: true,
    },
    {
      method: 'POST',
      path: '/jobs/:id/complete',
      scope: 'work',
      name: 'complete_job',
      summary: 'Ends a running job as done, by its token, with a result, and frees what it holds.',
      body: completion,
      answers: { 200: nowIs('completed') },
      answer: complete,
    },
    {
      method: 'POST',
      path: '/jobs/:id/fail',
      scope: 'work',
      name: 'fail_job',
      summary: 'Says, by its token, that this attempt of a job failed; the answer tells whether there is another one.',
      body: failure,
      answers: { 200: nowIs('scheduled', 'pending', 'failed', 'cancelled') },
      answer: fail,
    },
    {
      method: 'POST',
      path: '/jobs/:id/return',
      scope: 'work',
      name: 'return_job',
      summary:
        'Gives a job back unfinished, by its token: it waits again and the attempt does not count; one asked to stop is cancelled.',
      body: giveBack,
      answers: { 200: nowIs(...jobStatuses) },
      answer: returnJob,
    },
  ]

  /** Nothing may be started before this has answered. It may be asked again. */
  async function start(call: Call): Promise<Answer> {
    const { job } = read(call, started)
    const verdicts = await attempts.startJobs([job])
    // To this verb a job that never was is no other than one that is not the caller's any more.
    if (verdicts[0]?.reason === 'stale_token' && (await readJob(database, job.jobId)) === null) {
      throw jobNotFound(job.jobId)
    }
    insist(verdicts, job)
    return { status: 200, body: { job_id: job.jobId, status: 'running' } }
  }

  async function report(call: Call): Promise<Answer> {
    const { job, body } = read(call, progress)
    await attempts.reportProgress(job, body.percent, body.description ?? null)
    return { status: 200, body: { job_id: job.jobId } }
  }

  async function reportStep(call: Call): Promise<Answer> {
    const { job, body } = read(call, step)
    await attempts.reportStep(job, body.step)
    return { status: 200, body: { job_id: job.jobId } }
  }

  async function write(call: Call): Promise<Answer> {
    const { job, body } = read(call, output)
    const { isCut } = await attempts.appendOutput(job, body.chunks)
    return { status: 200, body: { job_id: job.jobId, is_cut: isCut } }
  }

  async function complete(call: Call): Promise<Answer> {
    const { job, body } = read(call, completion)
    insist(await retryTransient(() => attempts.completeJobs([{ ...job, result: body.result ?? null }])), job)
    return { status: 200, body: { job_id: job.jobId, status: 'completed' } }
  }

  async function fail(call: Call): Promise<Answer> {
    const { job, body } = read(call, failure)
    const status = await retryTransient(() => attempts.failJob(job, body.error, body.retry))
    return { status: 200, body: { job_id: job.jobId, status } }
  }

  /** It waits again, and the attempt does not count; one that was asked to stop is cancelled by this. */
  async function returnJob(call: Call): Promise<Answer> {
    const { job, body } = read(call, giveBack)
    insist(await retryTransient(() => attempts.returnJobs([job], body.reason ?? 'given back by its agent')), job)
    const now = await readJob(database, job.jobId)
    return { status: 200, body: { job_id: job.jobId, status: now?.status ?? 'pending' } }
  }
}

function read<Schema extends z.ZodType<{ readonly token: number }>>(
  { request }: Call,
  schema: Schema,
): { readonly job: HeldJob; readonly body: z.output<Schema> } {
  const jobId = pathParameter(request, 'id')
  const body = checkContract(schema, request.body ?? {})
  if (!isJobId(jobId)) throw jobNotFound(jobId)
  return { job: { jobId, token: asFencingToken(body.token) }, body }
}

/** What a verb of many says of each, as a verb of one would have thrown it. */
function insist([verdict]: readonly Verdict[], { jobId, token }: HeldJob): void {
  if (verdict?.accepted === true) return
  if (verdict?.reason === 'job_not_found') throw jobNotFound(jobId)
  if (verdict?.reason === 'cancel_requested') {
    throw new InterlockError('illegal_transition', `job ${jobId} was asked to stop before it was started`, {
      hint: 'Do not start it: POST /jobs/:id/return.',
    })
  }
  throw new InterlockError('stale_token', `token ${token} of job ${jobId} is stale`, {
    field: 'token',
    hint: 'The job was taken from you, has ended, or is held under a newer token. Stop working on it.',
  })
}

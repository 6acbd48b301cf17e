import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { isInterlockError } from '../../domain/errors.ts'
import { isFinished, type Job } from '../../domain/job.ts'
import { jobAnswer, jobView } from '../../domain/job-view.ts'
import { readJob } from '../../store/job-reader.ts'
import { withDeadline } from '../deadline.ts'
import { seconds } from '../query.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { jobNotFound } from './jobs.ts'

const retryMs = 250

const waitQuery = z.strictObject({ timeout_seconds: seconds({ max: 600 }).default(30) })

/** Answers when the job has ended, or at the timeout with the job as it is then: its status tells which. */
export function jobWaitRoutes({ database, feed }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/jobs/:id/wait',
      scope: 'read',
      name: 'wait_for_job',
      summary:
        'Waits until a job has ended, or for timeout_seconds; its status tells which, for it answers with the job as it is then.',
      query: waitQuery,
      answers: { 200: jobAnswer },
      answer: wait,
      isLong: true,
    },
  ]

  async function wait({ request, signal }: Call): Promise<Answer> {
    const id = pathParameter(request, 'id')
    const { timeout_seconds: timeoutSeconds } = checkContract(waitQuery, { ...request.query })
    const deadlineMs = performance.now() + timeoutSeconds * 1000
    let job = await read(id)
    if (isFinished(job.status)) return { status: 200, body: jobView(job) }

    const watch = feed.watch(job.id)
    try {
      // Looked at once more now that we listen: it may have ended in between.
      const again = () => readThrough(id, { deadlineMs, signal })
      for (job = await again(); !isFinished(job.status); job = await again()) {
        const leftSeconds = (deadlineMs - performance.now()) / 1000
        if (leftSeconds <= 0) break
        const news = await watch.next({ timeoutSeconds: leftSeconds, signal })
        if (news === 'closed') {
          job = await read(id)
          break
        }
      }
    } finally {
      watch.close()
    }
    return { status: 200, body: jobView(job) }
  }

  /** Who has begun to wait is not sent away by a moment in which the database is. */
  async function readThrough(
    id: string,
    { deadlineMs, signal }: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Job> {
    for (;;) {
      try {
        return await read(id)
      } catch (error) {
        const isAway = isInterlockError(error, 'unavailable')
        if (!isAway || signal.aborted || performance.now() + retryMs > deadlineMs) throw error
        await sleep(retryMs)
      }
    }
  }

  async function read(id: string): Promise<Job> {
    const job = await withDeadline(readJob(database, id))
    if (job === null) throw jobNotFound(id)
    return job
  }
}

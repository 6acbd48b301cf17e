import { asJobId } from '../domain/ids.ts'
import { isFinished } from '../domain/job.ts'
import { checkJobRequest } from '../domain/job-request.ts'
import { type JobView, jobSummaryView, jobView } from '../domain/job-view.ts'
import { checkLockRequest } from '../domain/lock-request.ts'
import { checkResponse } from '../domain/question.ts'
import { queueStatus } from '../domain/queue-status.ts'
import { checkExecution } from '../domain/workflow.ts'
import type { BorrowedPool } from '../store/borrowed.ts'
import { BorrowedDatabase } from '../store/borrowed-pool.ts'
import { insideTransactionOf } from '../store/caller-transaction.ts'
import { readTimeline } from '../store/events.ts'
import { JobFeed } from '../store/job-feed.ts'
import { listJobs } from '../store/job-list.ts'
import { explainJob, readJob } from '../store/job-reader.ts'
import { cancelJob, enqueueJobs, enqueueOnce, requeueJob } from '../store/jobs.ts'
import { acquireAndWait } from '../store/lock-wait.ts'
import { extendLock, releaseByKey } from '../store/locks.ts'
import { answerRequest, listRequests, readRequest } from '../store/questions.ts'
import { readQueueSnapshot } from '../store/queue-status.ts'
import { executeWorkflow, readExecution } from '../store/workflows.ts'
import { checkEventQuery, checkJobQuery, checkRequestQuery } from './checked-query.ts'
import { followEvents, followOutput } from './pool-streams.ts'
import { clientClosed, jobNotFound, requestNotFound } from './refusal.ts'
import type { Enqueued, EnqueueWay, Transport, WrittenJob } from './transport.ts'
import { asWire } from './wire.ts'

/** As over HTTP. */
const statusListLimit = 100
const wholeTimeline = 10_000

const changes = { cancel: cancelJob, requeue: requeueJob } as const

export interface PoolTransportOptions {
  readonly pool: BorrowedPool
  readonly actor: string | null
}

/** The verbs straight in the database, over a pool that belongs to somebody else. */
export function createPoolTransport({ pool, actor }: PoolTransportOptions): Transport {
  const database = new BorrowedDatabase(pool)
  const feed = new JobFeed({ database })
  const closing = new AbortController()
  const ending = (signal: AbortSignal | undefined) =>
    signal === undefined ? closing.signal : AbortSignal.any([closing.signal, signal])

  async function read(id: string): Promise<JobView> {
    const job = await readJob(database, id)
    if (job === null) throw jobNotFound(id)
    return jobView(job)
  }

  async function enqueue(
    jobs: readonly WrittenJob[],
    { transaction, idempotencyKey }: EnqueueWay,
  ): Promise<readonly Enqueued[]> {
    const requests = jobs.map((job) => checkJobRequest(job))
    const where = transaction === undefined ? database : insideTransactionOf(transaction)
    const enqueued =
      idempotencyKey === undefined
        ? await enqueueJobs(where, requests, { actor })
        : (await enqueueOnce(where, idempotencyKey, requests, { actor })).jobs
    return enqueued.map(({ id, status, isDuplicate }) => ({ id, status, is_duplicate: isDuplicate }))
  }

  return {
    enqueue,
    job: read,
    async list(query) {
      const { status: statuses, limit, cursor, ...filter } = checkJobQuery(query)
      const page = await listJobs(database, { ...filter, statuses }, { limit, cursor })
      return { jobs: page.jobs.map(jobSummaryView), next_cursor: page.nextCursor }
    },
    async waitForJob(id, waitSeconds, signal) {
      const deadline = performance.now() + waitSeconds * 1000
      const leaving = ending(signal)
      const watch = feed.watch(asJobId(id))
      try {
        for (;;) {
          const job = await read(id)
          const leftSeconds = (deadline - performance.now()) / 1000
          if (isFinished(job.status) || leftSeconds <= 0) return job
          await watch.next({ timeoutSeconds: leftSeconds, signal: leaving })
          leaving.throwIfAborted()
        }
      } finally {
        watch.close()
      }
    },
    async change(id, change, reason) {
      return { id, status: await changes[change](database, asJobId(id), { actor, reason }) }
    },
    explain: (id) => explainJob(database, id),
    async timeline(id) {
      const events = await readTimeline(database, asJobId(id), { afterId: 0, limit: wholeTimeline })
      // A job without any event left may still be known; only one that is not is an error.
      if (events.length === 0) await read(id)
      return events.map((event) => asWire(event))
    },
    output: (id, after, signal) => followOutput({ database, feed, read }, id, { after, signal: ending(signal) }),
    status: async () => queueStatus(await readQueueSnapshot(database, statusListLimit), statusListLimit),
    events: (query, signal) => followEvents(database, checkEventQuery(query), ending(signal)),
    async acquireLock(request, signal) {
      const leaving = ending(signal)
      try {
        return await acquireAndWait(database, checkLockRequest(request), { actor, signal: leaving })
      } catch (error) {
        leaving.throwIfAborted()
        throw error
      }
    },
    extendLock: (id, token, leaseSeconds) => extendLock(database, id, token, leaseSeconds),
    async releaseLock(id, token) {
      await releaseByKey(database, id, { token, actor })
    },
    async requests(query) {
      const { limit, cursor, ...filter } = checkRequestQuery(query)
      return listRequests(database, filter, { limit, cursor })
    },
    async answer(id, response) {
      await answerRequest(database, id, checkResponse(response), { actor })
      const answered = await readRequest(database, id)
      if (answered === null) throw requestNotFound(id)
      return answered
    },
    async execute(workflowId, request, idempotencyKey) {
      const wanted = checkExecution({ input: {}, ...request })
      const { id } = await executeWorkflow(database, workflowId, wanted, { actor, key: idempotencyKey ?? null })
      return readExecution(database, id)
    },
    execution: (id) => readExecution(database, id),
    async close() {
      closing.abort(clientClosed())
      await feed.stop()
    },
  }
}

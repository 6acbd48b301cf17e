import { setTimeout as sleep } from 'node:timers/promises'
import { readActor } from '../config.ts'
import { asJobId } from '../domain/ids.ts'
import { isFinished, type JobStatus } from '../domain/job.ts'
import { type JobView, jobSummaryView, jobView } from '../domain/job-view.ts'
import { queueStatus } from '../domain/queue-status.ts'
import { readAgents } from '../store/agent-reader.ts'
import { Database } from '../store/database.ts'
import { readTimeline } from '../store/events.ts'
import { readHistorySummary } from '../store/history-summary.ts'
import { listJobs } from '../store/job-list.ts'
import { readOutput } from '../store/job-output.ts'
import { explainJob, readJob } from '../store/job-reader.ts'
import { cancelJob, deleteJob, enqueueJobs, requeueJob } from '../store/jobs.ts'
import { acquireAndWait } from '../store/lock-wait.ts'
import { extendLock, listLocks, releaseByKey, sweepLocks } from '../store/locks.ts'
import { checkSchema } from '../store/migrations.ts'
import { readQueueSnapshot } from '../store/queue-status.ts'
import { checkServer } from '../store/server-check.ts'
import { type Backend, type BackendOptions, jobNotFound } from './backend.ts'
import { databaseSchedules } from './database-schedules.ts'
import { asWire } from './wire.ts'

/** Between two looks at a job that is waited for; a notification would need a connection of its own for each waiter. */
const lookEveryMs = 250

/** How many jobs a list of the status has at most, as over HTTP. */
const listLimit = 100
const lockListLimit = 1000

const verbs = { cancel: cancelJob, requeue: requeueJob, delete: deleteJob } as const

/** A queue straight in its database. Throws when the server or the schema is not one that this program can use. */
export async function openDatabaseBackend(url: string, options: BackendOptions): Promise<Backend> {
  const database = new Database({ url, applicationName: 'interlock cli', poolSize: 2 })
  try {
    await checkServer(database)
    await checkSchema(database)
    return createDatabaseBackend(database, options)
  } catch (error) {
    await database.end()
    throw error
  }
}

function createDatabaseBackend(database: Database, { signal }: BackendOptions): Backend {
  const actor = readActor()
  const getJob = async (id: string): Promise<JobView> => {
    const job = await readJob(database, id)
    if (job === null) throw jobNotFound(id)
    return jobView(job)
  }
  return {
    getJob,
    async enqueue(request) {
      const [job] = await enqueueJobs(database, [request], { actor })
      if (job === undefined) throw new TypeError('enqueue_jobs answered without a row')
      return getJob(job.id)
    },
    async listJobs({ status, limit = 50, cursor, ...filter }) {
      const statuses = status as readonly JobStatus[] | undefined
      const page = await listJobs(database, { ...filter, statuses }, { limit, cursor })
      return { jobs: page.jobs.map(jobSummaryView), next_cursor: page.nextCursor }
    },
    explainJob: (id) => explainJob(database, id),
    async timeline(id) {
      const events = await readTimeline(database, asJobId(id), { afterId: 0, limit: 10_000 })
      // A job without any event left may still be known; only one that is not is an error.
      if (events.length === 0) await getJob(id)
      return events.map((event) => asWire(event))
    },
    async output(id, after) {
      const chunks = await readOutput(database, asJobId(id), { afterSeq: after, limit: 20 })
      return chunks.map((chunk) => asWire(chunk))
    },
    async waitForJob(id, timeoutSeconds) {
      const deadline = performance.now() + timeoutSeconds * 1000
      for (;;) {
        const job = await getJob(id)
        const leftMs = deadline - performance.now()
        if (isFinished(job.status) || leftMs <= 0) return job
        await sleep(Math.min(lookEveryMs, leftMs), undefined, { signal })
      }
    },
    async changeJob(id, change, reason) {
      return { status: await verbs[change](database, asJobId(id), { reason, actor }) }
    },
    queueStatus: async () => queueStatus(await readQueueSnapshot(database, listLimit), listLimit),
    agents: async () => (await readAgents(database)).map((agent) => asWire(agent)),
    locks: (filter) => listLocks(database, filter, lockListLimit),
    async acquireLock(request, acquiring) {
      try {
        return await acquireAndWait(database, request, { actor, signal: acquiring })
      } catch (error) {
        acquiring.throwIfAborted()
        throw error
      }
    },
    extendLock: (id, token, leaseSeconds) => extendLock(database, id, token, leaseSeconds),
    release: ({ key, jobId, token, reason }) => releaseByKey(database, key, { jobId, token, reason, actor }),
    sweepLocks: (olderThanSeconds, { dryRun }) => sweepLocks(database, olderThanSeconds, { dryRun, actor }),
    schedules: databaseSchedules(database, actor),
    historySummary: (question) => readHistorySummary(database, question),
    close: () => database.end(),
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { asWire } from '../client/wire.ts'
import { type Config, readActor } from '../config.ts'
import { countAgents } from '../domain/agent-counts.ts'
import { asAgentId, asJobId } from '../domain/ids.ts'
import { isFinished, type JobStatus } from '../domain/job.ts'
import { type JobView, jobSummaryView, jobView } from '../domain/job-view.ts'
import type { RequestView } from '../domain/question-view.ts'
import { queueStatus } from '../domain/queue-status.ts'
import { sealJobs } from '../security/payload-encryption.ts'
import { drainAgent, resumeAgent, suspendAgent } from '../store/agent-changes.ts'
import { readAgents } from '../store/agent-reader.ts'
import { listAlarms } from '../store/alarms.ts'
import { readAllocation } from '../store/allocation.ts'
import { Database } from '../store/database.ts'
import { readEvents } from '../store/event-page.ts'
import { readTimeline } from '../store/events.ts'
import { readHistorySummary } from '../store/history-summary.ts'
import { listJobs } from '../store/job-list.ts'
import { readOutput } from '../store/job-output.ts'
import { explainJob, readJob } from '../store/job-reader.ts'
import {
  approveJob,
  cancelJob,
  deleteJob,
  enqueueJobs,
  rejectJob,
  releaseJob,
  requeueJob,
  startPausedJob,
} from '../store/jobs.ts'
import { acquireAndWait } from '../store/lock-wait.ts'
import { extendLock, listLocks, releaseByKey, sweepLocks } from '../store/locks.ts'
import { checkSchema } from '../store/migrations.ts'
import { answerRequest, listRequests, readRequest } from '../store/questions.ts'
import { readQueueSnapshot } from '../store/queue-status.ts'
import { checkServer } from '../store/server-check.ts'
import {
  applyWorkflow,
  cancelExecution,
  executeWorkflow,
  listWorkflows,
  readExecution,
  readWorkflow,
} from '../store/workflows.ts'
import { type Backend, type BackendOptions, jobNotFound, requestNotFound } from './backend.ts'
import { databaseKeys } from './database-keys.ts'
import { databaseSchedules } from './database-schedules.ts'
import { createDatabaseSteering } from './database-steering.ts'

/** Between two looks at a job that is waited for; a notification would need a connection of its own for each waiter. */
const lookEveryMs = 250

/** How many jobs a list of the status has at most, as over HTTP. */
const listLimit = 100
const lockListLimit = 1000
const requestListLimit = 1000

const agentVerbs = { drain: drainAgent, suspend: suspendAgent, resume: resumeAgent } as const
const verbs = {
  start: startPausedJob,
  approve: approveJob,
  reject: rejectJob,
  cancel: cancelJob,
  requeue: requeueJob,
  release: releaseJob,
  delete: deleteJob,
} as const

type DatabaseBackendOptions = BackendOptions & Pick<Config['security'], 'isDatabaseTlsRequired' | 'encryption'>

/** A queue straight in its database. Throws when the server or the schema is not one that this program can use. */
export async function openDatabaseBackend(url: string, options: DatabaseBackendOptions): Promise<Backend> {
  const database = new Database({ url, applicationName: 'interlock cli', poolSize: 2 })
  try {
    await checkServer(database, { needsTls: options.isDatabaseTlsRequired })
    await checkSchema(database)
    return createDatabaseBackend(database, options)
  } catch (error) {
    await database.end()
    throw error
  }
}

function createDatabaseBackend(database: Database, { signal, encryption }: DatabaseBackendOptions): Backend {
  const actor = readActor()
  const getJob = async (id: string): Promise<JobView> => {
    const job = await readJob(database, id)
    if (job === null) throw jobNotFound(id)
    return jobView(job)
  }
  const getRequest = async (id: string): Promise<RequestView> => {
    const request = await readRequest(database, id)
    if (request === null) throw requestNotFound(id)
    return request
  }
  return {
    ...createDatabaseSteering(database, actor),
    getJob,
    async enqueue(request) {
      const [job] = await enqueueJobs(database, sealJobs(encryption, [request]), { actor })
      if (job === undefined) throw new TypeError('enqueue_jobs answered without a row')
      const shown = await getJob(job.id)
      return job.isDuplicate ? { ...shown, is_duplicate: true } : shown
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
    async agents() {
      const agents = await readAgents(database)
      return { agents: agents.map((agent) => asWire(agent)), counts: countAgents(agents) }
    },
    allocation: () => readAllocation(database),
    changeAgent: (id, change, reason) => agentVerbs[change](database, asAgentId(id), { actor, reason }),
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
    requests: async (filter) => (await listRequests(database, filter, { limit: requestListLimit })).requests,
    request: getRequest,
    async answer(id, response) {
      await answerRequest(database, id, response, { actor })
      return getRequest(id)
    },
    sweepLocks: (olderThanSeconds, options) => sweepLocks(database, olderThanSeconds, { ...options, actor }),
    workflows: () => listWorkflows(database),
    getWorkflow: (id) => readWorkflow(database, id),
    applyWorkflow: (definition) => applyWorkflow(database, definition, { actor }),
    async executeWorkflow(id, request) {
      const executed = await executeWorkflow(database, id, request, { actor })
      return readExecution(database, executed.id)
    },
    getExecution: (id) => readExecution(database, id),
    cancelExecution: (id, reason) => cancelExecution(database, id, { actor, reason }),
    schedules: databaseSchedules(database, actor),
    keys: databaseKeys(database, actor),
    alarms: () => listAlarms(database),
    events: (request) => readEvents(database, request),
    historySummary: (question) => readHistorySummary(database, question),
    close: () => database.end(),
  }
}

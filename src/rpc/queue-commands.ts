import { z } from 'zod'
import { checkContract } from '../domain/contract.ts'
import { InterlockError } from '../domain/errors.ts'
import type { JobStatus } from '../domain/job.ts'
import type { JobSummaryView, JobView } from '../domain/job-view.ts'
import type { CallContext, OperationAnswer, Operations } from '../http/operations.ts'

// The eight commands of the queue manager that this replaces, with its names, parameters, states and results. Each is
// made of the verbs that every door has.

/** What that queue manager calls a state of ours. */
const theirStatus: Readonly<Record<JobStatus, TheirStatus>> = {
  scheduled: 'pending',
  deferred: 'pending',
  paused: 'pending',
  pending: 'pending',
  assigned: 'pending',
  running: 'running',
  completed: 'completed',
  failed: 'failed',
  expired: 'failed',
  cancelled: 'stopped',
  deleted: 'deleted',
}
const theirStatuses = ['pending', 'running', 'completed', 'failed', 'stopped', 'deleted'] as const
type TheirStatus = (typeof theirStatuses)[number]

interface QueueJobResult {
  readonly job_id: string
  readonly status: TheirStatus
  readonly result?: unknown
  readonly error: string | null
  readonly progress: number
  readonly description: string | null
}

export interface QueueCommand {
  readonly summary: string
  readonly params: z.ZodType
  run(operations: Operations, params: unknown, context: CallContext): Promise<unknown>
}

const jobId = z.string().min(1).max(200)
const oneJob = z.strictObject({ job_id: jobId })
const addition = z.strictObject({
  job_type: z.string(),
  job_id: jobId.optional(),
  params: z.record(z.string(), z.unknown()).optional(),
  user: z.string().optional(),
  project: z.string().optional(),
  models: z.array(z.string()).optional(),
  resources: z.array(z.string()).optional(),
  queue: z.string().optional(),
  priority: z.union([z.string(), z.number()]).optional(),
  timeout_seconds: z.number().optional(),
})
const stopSecondsMax = 60
const stopping = z.strictObject({
  job_id: jobId,
  timeout_seconds: z.number().min(0).max(stopSecondsMax).default(10),
})
const listing = z.strictObject({
  status: z.enum(theirStatuses).optional(),
  limit: z.int().min(1).max(500).default(100),
  cursor: z.string().max(500).optional(),
})

export const queueCommands: Readonly<Record<string, QueueCommand>> = {
  queue_add_job: command('Adds a job without starting it.', addition, async (ask, { job_type: task, ...given }) => {
    const { job_id: id, params: payload, ...rest } = given
    return jobResult((await ask('enqueue_job', { task, id, payload, ...rest, start: false })) as JobView)
  }),
  queue_start_job: command('Starts a job that was added.', oneJob, async (ask, { job_id: id }) => {
    await ask('start_job', { id })
    return jobResult((await ask('get_job', { id })) as JobView)
  }),
  queue_stop_job: command('Stops a job, and waits until it has.', stopping, async (ask, { job_id: id, ...wait }) => {
    await stop(ask, id, wait.timeout_seconds)
    return jobResult((await ask('get_job', { id })) as JobView)
  }),
  queue_delete_job: command(
    'Deletes a job; one that runs is stopped.',
    stopping,
    async (ask, { job_id: id, ...wait }) => {
      const job = (await ask('get_job', { id })) as JobView
      if (job.status === 'assigned' || job.status === 'running') await stop(ask, id, wait.timeout_seconds)
      else await ask('delete_job', { id })
      return { ...jobResult((await ask('get_job', { id })) as JobView), status: 'deleted' }
    },
  ),
  queue_get_job_status: command('The state of a job, and its result.', oneJob, async (ask, { job_id: id }) =>
    jobResult((await ask('get_job', { id })) as JobView),
  ),
  queue_get_job_logs: command('What a job has written, by line.', oneJob, async (ask, { job_id: id }) => {
    const stdout = await linesOf(ask, id, 'stdout')
    const stderr = await linesOf(ask, id, 'stderr')
    return { job_id: id, stdout, stderr, stdout_lines: stdout.length, stderr_lines: stderr.length }
  }),
  queue_list_jobs: command('The jobs of all queues, a page at a time.', listing, async (ask, { status, ...page }) => {
    const wanted = status === undefined ? {} : { status: ourStatuses(status) }
    const found = (await ask('list_jobs', { ...page, ...wanted })) as Page
    return { jobs: found.jobs.map(summaryResult), next_cursor: found.next_cursor }
  }),
  queue_health: command('Whether the queue is well, in numbers.', z.strictObject({}), async (ask) => {
    const health = (await ask('get_queue_health', {})) as Readonly<Record<string, unknown>>
    const { resources } = (await ask('list_limits', {})) as { readonly resources: readonly Limit[] }
    const all = resources.find(({ pattern }) => pattern === 'limit:all')
    return { ...health, max_concurrent_jobs: all?.capacity ?? null }
  }),
}

interface Page {
  readonly jobs: readonly JobSummaryView[]
  readonly next_cursor: string | null
}

interface Limit {
  readonly pattern: string
  readonly capacity: number | null
}

type Ask = (name: string, given: Readonly<Record<string, unknown>>) => Promise<unknown>

function command<Schema extends z.ZodType>(
  summary: string,
  params: Schema,
  run: (ask: Ask, params: z.output<Schema>) => Promise<unknown>,
): QueueCommand {
  return {
    summary,
    params,
    run: (operations, given, context) => {
      const ask: Ask = async (name, args) => (await callByName(operations, name, args, context)).body
      return run(ask, checkContract(params, given))
    },
  }
}

function callByName(
  operations: Operations,
  name: string,
  given: Readonly<Record<string, unknown>>,
  context: CallContext,
): Promise<OperationAnswer> {
  const route = operations.find(name)
  if (route === null) throw new InterlockError('internal', `there is no operation ${name}`)
  return operations.call(route, given, context)
}

/** Asked to stop, and waited for: its processes are gone when this returns, or it says that they are not yet. */
async function stop(ask: Ask, id: string, timeoutSeconds: number): Promise<void> {
  const { status } = (await ask('cancel_job', { id })) as { readonly status: string }
  if (status === 'cancelling') await ask('wait_for_job', { id, timeout_seconds: timeoutSeconds })
}

async function linesOf(ask: Ask, id: string, stream: 'stdout' | 'stderr'): Promise<string[]> {
  const lines: string[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page = (await ask('get_job_output', { id, stream, after, limit: 20 })) as {
      readonly chunks: readonly { readonly lines: string }[]
      readonly next_after: number | null
    }
    for (const chunk of page.chunks) lines.push(...chunk.lines.split('\n'))
    after = page.next_after
  }
  return lines
}

function ourStatuses(status: TheirStatus): readonly string[] {
  return Object.entries(theirStatus).flatMap(([ours, theirs]) => (theirs === status ? [ours] : []))
}

function jobResult(job: JobView): QueueJobResult {
  return { ...summaryResult(job), result: job.result ?? null }
}

function summaryResult(job: JobSummaryView): QueueJobResult {
  const message = job.error?.message
  const why = typeof message === 'string' ? message : job.reason
  const status = theirStatus[job.status]
  return {
    job_id: job.id,
    status,
    error: status === 'failed' || status === 'stopped' ? (why ?? null) : null,
    progress: job.progress ?? 0,
    description: job.progress_description,
  }
}

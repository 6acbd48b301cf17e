import { setTimeout as sleep } from 'node:timers/promises'
import { isInterlockError } from '../domain/errors.ts'
import type { EventView } from '../domain/event-view.ts'
import type { Explanation } from '../domain/explanation.ts'
import { isFinished } from '../domain/job.ts'
import type { JobView } from '../domain/job-view.ts'
import type { OutputChunkView } from '../domain/output-view.ts'
import type { Response } from '../domain/question.ts'
import type { RequestPage, RequestView } from '../domain/question-view.ts'
import type { QueueEvent } from '../domain/queue-event.ts'
import type { QueueStatus } from '../domain/queue-status.ts'
import type { AnyTask } from '../domain/task-definition.ts'
import type { ExecutionRequest, ExecutionView } from '../domain/workflow.ts'
import { type HeldLock, type HoldOptions, holdLock } from './held-lock.ts'
import type { ChangedJob, EventQuery, JobQuery, RequestQuery, Transport } from './transport.ts'
import type {
  EnqueuedJob,
  EnqueuedJobs,
  EnqueueManyOptions,
  EnqueueOptions,
  NewJob,
  TypedTask,
  WaitedJob,
} from './typed-job.ts'
import type { JobPage } from './views.ts'
import { writeJob } from './written-job.ts'

/** One call waits no longer, or what stands between would cut it. */
const waitAtOnceSeconds = 25
const askAgainMs = 500
/** So long whoever waits already goes on while nobody answers: a coordinator that is replaced is back by then. */
const insistMs = 60_000

type JobName<Output> = string | EnqueuedJob<Output>

export interface WaitOptions {
  /** Until it ends, unless set; then the job comes as it is, and its status tells. */
  readonly timeoutSeconds?: number
  readonly signal?: AbortSignal
}

export interface ClientSettings {
  /** Made when it is first needed, and once. */
  readonly transport: () => Promise<Transport>
  readonly actor: string | null
}

/**
 * A queue as a program uses it, whatever the way to it. What is sent and answered has the fields of every other door
 * (`run_at`, `conflict_reason`), so that there is one list of them; what concerns this program alone is camelCase. All
 * calls throw InterlockError, whose code says what went wrong.
 */
export class Client implements AsyncDisposable {
  readonly #transport: () => Promise<Transport>
  readonly #actor: string | null
  #isClosed = false

  constructor({ transport, actor }: ClientSettings) {
    this.#transport = transport
    this.#actor = actor
  }

  /**
   * Enqueues a job. By its definition its payload is typed, and checked here as well as when it runs; by its name it is
   * what the agent that runs it makes of it.
   */
  enqueue<Input, Output>(
    task: TypedTask<Input, Output>,
    payload: NoInfer<Input>,
    options?: EnqueueOptions,
  ): Promise<EnqueuedJob<Output>>
  enqueue(task: string, payload?: Readonly<Record<string, unknown>>, options?: EnqueueOptions): Promise<EnqueuedJob>
  async enqueue(task: AnyTask | string, payload?: unknown, options: EnqueueOptions = {}): Promise<EnqueuedJob> {
    const { transaction, idempotencyKey, ...fields } = options
    const written = await writeJob(task, payload, fields)
    const [job] = await (await this.#transport()).enqueue([written], { transaction, idempotencyKey })
    if (job === undefined) throw new TypeError('a job was enqueued without an id')
    return job
  }

  /** Enqueues up to 1,000 jobs, all or none; they come back in the order given. */
  async enqueueMany<const Tasks extends readonly (AnyTask | string)[]>(
    jobs: { readonly [Place in keyof Tasks]: NewJob<Tasks[Place]> },
    { transaction, idempotencyKey }: EnqueueManyOptions = {},
  ): Promise<EnqueuedJobs<Tasks>> {
    const written = await Promise.all(
      (jobs as readonly NewJob[]).map(({ task, payload, ...fields }, index) =>
        writeJob(task, payload, fields, `jobs[${index}].`),
      ),
    )
    const enqueued = await (await this.#transport()).enqueue(written, { transaction, idempotencyKey })
    return enqueued as readonly EnqueuedJob[] as EnqueuedJobs<Tasks>
  }

  /** One job with status, progress, result or error, and what it waits for. Throws job_not_found. */
  async job(id: string): Promise<JobView> {
    return (await this.#transport()).job(id)
  }

  /** A page of jobs, those that have not ended first; `next_cursor` leads to the next one. */
  async list(query: JobQuery = {}): Promise<JobPage> {
    return (await this.#transport()).list(query)
  }

  /** The job when it has ended, be it well or not. */
  async wait<Output = unknown>(
    job: JobName<Output>,
    { timeoutSeconds = Number.POSITIVE_INFINITY, signal }: WaitOptions = {},
  ): Promise<WaitedJob<Output>> {
    const transport = await this.#transport()
    const deadline = performance.now() + timeoutSeconds * 1000
    let heardAt: number | null = null
    for (;;) {
      signal?.throwIfAborted()
      const waitSeconds = Math.min(Math.max(0, (deadline - performance.now()) / 1000), waitAtOnceSeconds)
      try {
        const now = await transport.waitForJob(idOf(job), Math.round(waitSeconds * 1000) / 1000, signal)
        if (isFinished(now.status) || performance.now() >= deadline) return now as WaitedJob<Output>
        heardAt = performance.now()
      } catch (error) {
        const isAway = isInterlockError(error, 'unavailable') && !this.#isClosed
        if (!isAway || heardAt === null || performance.now() > Math.min(heardAt + insistMs, deadline)) throw error
        await sleep(askAgainMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      }
    }
  }

  /** Cancels what waits; what runs is asked to stop (`cancelling`). Throws job_not_found, illegal_transition. */
  async cancel(job: JobName<unknown>, { reason }: { readonly reason?: string } = {}): Promise<ChangedJob> {
    return (await this.#transport()).change(idOf(job), 'cancel', reason ?? null)
  }

  /** Sends a dead letter, or what waits for its time, to wait for its turn. Throws job_not_found, illegal_transition. */
  async requeue(job: JobName<unknown>, { reason }: { readonly reason?: string } = {}): Promise<ChangedJob> {
    return (await this.#transport()).change(idOf(job), 'requeue', reason ?? null)
  }

  /** Why it waits, in one sentence, with the chain of those before it. Throws job_not_found. */
  async explain(job: JobName<unknown>): Promise<Explanation> {
    return (await this.#transport()).explain(idOf(job))
  }

  /** What happened to it, oldest first. Throws job_not_found. */
  async timeline(job: JobName<unknown>): Promise<readonly EventView[]> {
    return (await this.#transport()).timeline(idOf(job))
  }

  /** What it writes, chunk by chunk, from after a chunk's `seq` on, until the job has ended. */
  async *output(
    job: JobName<unknown>,
    { after = 0, signal }: { readonly after?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<OutputChunkView, void> {
    yield* (await this.#transport()).output(idOf(job), after, signal)
  }

  /** Everything at a glance. */
  async status(): Promise<QueueStatus> {
    return (await this.#transport()).status()
  }

  /**
   * What happens to all jobs, from now on, or from an event's `cursor` on (`start`: all that is kept), each once and none
   * left out, however often the connection is lost. Ends by `break`, or by the signal with its reason; throws events_lost
   * where it cannot go on without leaving one out.
   */
  async *events({
    signal,
    ...query
  }: EventQuery & { readonly signal?: AbortSignal } = {}): AsyncGenerator<QueueEvent, void> {
    yield* (await this.#transport()).events(query, signal)
  }

  /**
   * Holds resources by hand, by the rules that jobs follow, all or none: waits for them (60 s unless `wait_seconds` says
   * otherwise; else not_held), extends the lock by itself, and gives it back at the end of the block.
   *
   *     await using lock = await client.hold('user:alice')
   */
  async hold(resources: string | readonly string[], options: HoldOptions = {}): Promise<HeldLock> {
    return holdLock(await this.#transport(), [resources].flat(), options, this.#actor)
  }

  /** What running jobs ask people: the oldest first. */
  async requests(query: RequestQuery = {}): Promise<RequestPage> {
    return (await this.#transport()).requests(query)
  }

  /** Answers a question. Throws job_not_found, illegal_transition (answered already, expired, closed). */
  async answer(requestId: string, response: Response): Promise<RequestView> {
    return (await this.#transport()).answer(requestId, response)
  }

  /** Runs a workflow. Throws workflow_not_found, and what enqueueing throws. */
  async execute(
    workflowId: string,
    { idempotencyKey, ...request }: ExecutionRequest & { readonly idempotencyKey?: string } = {},
  ): Promise<ExecutionView> {
    return (await this.#transport()).execute(workflowId, request, idempotencyKey)
  }

  /** A run of a workflow, with the step that it is at. Its id is that of its job: wait() waits for it. */
  async execution(id: string): Promise<ExecutionView> {
    return (await this.#transport()).execution(id)
  }

  /** Ends what is under way. A pool stays open: it is its owner's. */
  async close(): Promise<void> {
    this.#isClosed = true
    await (await this.#transport()).close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function idOf(job: JobName<unknown>): string {
  return typeof job === 'string' ? job : job.id
}

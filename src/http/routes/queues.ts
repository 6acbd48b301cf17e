import { z } from 'zod'
import { queueSettings } from '../../config/schema.ts'
import { checkContract } from '../../domain/contract.ts'
import { bulkAnswer, jobSelectionFields, waitingStatuses } from '../../domain/job-filter.ts'
import { queueView } from '../../domain/queue-view.ts'
import { changeJobs } from '../../store/bulk-changes.ts'
import { changeQueue, listQueues } from '../../store/queues.ts'
import { flag } from '../query.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'
import { bulkFields } from './bulk-changes.ts'
import { motiveFields } from './job-changes.ts'

const { actor } = motiveFields
const onlyActor = z.strictObject({ actor })
const { refuse_after_wait_seconds, heartbeat_seconds, retries_per_minute, tasks, user_weights } = queueSettings.shape
/** In a file what is not wanted is not named; of a queue that has it, null takes it back. */
const settings = z.strictObject({
  ...queueSettings.shape,
  // The file may say inf, for which JSON has no number.
  patience_seconds: z.number().min(0).optional(),
  refuse_after_wait_seconds: refuse_after_wait_seconds.nullable(),
  heartbeat_seconds: heartbeat_seconds.nullable(),
  retries_per_minute: retries_per_minute.nullable(),
  tasks: tasks.nullable(),
  user_weights: user_weights.nullable(),
  actor,
})
const flushQuery = z.strictObject({ dry_run: flag.optional() })
const { user, project } = jobSelectionFields
const flush = z.strictObject({ user, project, ...bulkFields })
const allQueues = z.object({ queues: z.array(queueView) })

/** The policy of queues at run time. */
export function queuePolicyRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/queues',
      scope: 'read',
      name: 'list_queues',
      summary: 'The queues and the policy of each: order, timeouts, attempts, retention.',
      answers: { 200: allQueues },
      answer: list,
    },
    {
      method: 'PATCH',
      path: '/queues/:name',
      scope: 'operate',
      name: 'change_queue',
      summary: 'Changes the policy of a queue that exists; what is left out stays as it is.',
      body: settings,
      isBodyOptional: true,
      answers: { 200: queueView },
      answer: (call) => set(call, false),
    },
    {
      method: 'PUT',
      path: '/queues/:name',
      scope: 'operate',
      name: 'set_queue',
      summary: 'Changes the policy of a queue as change_queue does, and makes the queue where there is none.',
      body: settings,
      isBodyOptional: true,
      answers: { 200: queueView },
      answer: (call) => set(call, true),
    },
    {
      method: 'POST',
      path: '/queues/:name/pause',
      scope: 'operate',
      name: 'pause_queue',
      summary: 'Starts no further jobs of a queue until it is resumed; it still takes jobs, and what runs goes on.',
      body: onlyActor,
      isBodyOptional: true,
      answers: { 200: queueView },
      answer: (call) => pause(call, true),
    },
    {
      method: 'POST',
      path: '/queues/:name/resume',
      scope: 'operate',
      name: 'resume_queue',
      summary: 'Starts the jobs of a paused queue again.',
      body: onlyActor,
      isBodyOptional: true,
      answers: { 200: queueView },
      answer: (call) => pause(call, false),
    },
    {
      method: 'POST',
      path: '/queues/:name/flush',
      scope: 'operate',
      name: 'flush_queue',
      summary:
        'Cancels all that waits in a queue, or what of it is of one user or project, and leaves alone what runs; dry_run only counts.',
      effect: 'destroy',
      query: flushQuery,
      body: flush,
      isBodyOptional: true,
      answers: { 200: bulkAnswer },
      answer: flushWaiting,
    },
  ]

  async function list(): Promise<Answer> {
    return { status: 200, body: { queues: await listQueues(database) } }
  }

  async function set({ request, actorOf }: Call, mayCreate: boolean): Promise<Answer> {
    const { actor: given, ...wanted } = checkContract(settings, request.body ?? {})
    const name = pathParameter(request, 'name')
    return { status: 200, body: await changeQueue(database, name, wanted, { actor: actorOf(given), mayCreate }) }
  }

  async function pause({ request, actorOf }: Call, isPaused: boolean): Promise<Answer> {
    const { actor: given } = checkContract(onlyActor, request.body ?? {})
    const name = pathParameter(request, 'name')
    return { status: 200, body: await changeQueue(database, name, { is_paused: isPaused }, { actor: actorOf(given) }) }
  }

  /** Cancels what waits there; what runs goes on. */
  async function flushWaiting({ request, signal, actorOf }: Call): Promise<Answer> {
    const { dry_run: asked = false } = checkContract(flushQuery, { ...request.query })
    const body = checkContract(flush, request.body ?? {})
    const { dry_run: dryRun, cursor, reason, actor: given, ...filter } = body
    const selection = { ...filter, queue: pathParameter(request, 'name'), status: [...waitingStatuses] }
    const options = { dryRun: dryRun || asked, cursor, reason: reason ?? 'flushed', actor: actorOf(given), signal }
    return { status: 200, body: await changeJobs(database, 'cancel', selection, options) }
  }
}

import { z } from 'zod'
import { queueSettings } from '../../config/schema.ts'
import { checkContract } from '../../domain/contract.ts'
import { jobSelectionFields, waitingStatuses } from '../../domain/job-filter.ts'
import { changeJobs } from '../../store/bulk-changes.ts'
import { changeQueue, listQueues } from '../../store/queues.ts'
import { flag } from '../query.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import { httpActor, type Services } from '../services.ts'
import { bulkFields } from './bulk-changes.ts'
import { motiveFields } from './job-changes.ts'

const { actor } = motiveFields
const onlyActor = z.strictObject({ actor })
const { refuse_after_wait_seconds, heartbeat_seconds, retries_per_minute, tasks, user_weights } = queueSettings.shape
/** In a file what is not wanted is not named; of a queue that has it, null takes it back. */
const settings = z.strictObject({
  ...queueSettings.shape,
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

/** The policy of queues at run time. */
export function queuePolicyRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/queues', answer: list },
    { method: 'PATCH', path: '/queues/:name', answer: (call) => set(call, false) },
    { method: 'PUT', path: '/queues/:name', answer: (call) => set(call, true) },
    { method: 'POST', path: '/queues/:name/pause', answer: (call) => pause(call, true) },
    { method: 'POST', path: '/queues/:name/resume', answer: (call) => pause(call, false) },
    { method: 'POST', path: '/queues/:name/flush', answer: flushWaiting },
  ]

  async function list(): Promise<Answer> {
    return { status: 200, body: { queues: await listQueues(database) } }
  }

  async function set({ request }: Call, mayCreate: boolean): Promise<Answer> {
    const { actor: given = httpActor, ...wanted } = checkContract(settings, request.body ?? {})
    const name = pathParameter(request, 'name')
    return { status: 200, body: await changeQueue(database, name, wanted, { actor: given, mayCreate }) }
  }

  async function pause({ request }: Call, isPaused: boolean): Promise<Answer> {
    const { actor: given = httpActor } = checkContract(onlyActor, request.body ?? {})
    const name = pathParameter(request, 'name')
    return { status: 200, body: await changeQueue(database, name, { is_paused: isPaused }, { actor: given }) }
  }

  /** Cancels what waits there; what runs goes on. */
  async function flushWaiting({ request, signal }: Call): Promise<Answer> {
    const { dry_run: asked = false } = checkContract(flushQuery, { ...request.query })
    const body = checkContract(flush, request.body ?? {})
    const { dry_run: dryRun, cursor, reason, actor: given = httpActor, ...filter } = body
    const selection = { ...filter, queue: pathParameter(request, 'name'), status: [...waitingStatuses] }
    const options = { dryRun: dryRun || asked, cursor, reason: reason ?? 'flushed', actor: given, signal }
    return { status: 200, body: await changeJobs(database, 'cancel', selection, options) }
  }
}

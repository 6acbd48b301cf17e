import { ClaimLoop } from '../../../src/agent/claim-loop.ts'
import { coalesce } from '../../../src/agent/coalesce.ts'
import type { Assignment } from '../../../src/domain/assignment.ts'
import { createSilentLogger } from '../../../src/observability/logger.ts'
import { registerAgent } from '../../../src/store/agents.ts'
import { createAttemptStore } from '../../../src/store/attempts.ts'
import { Database } from '../../../src/store/database.ts'
import { Listener } from '../../../src/store/listener.ts'
import { migrate } from '../../../src/store/migrations.ts'
import { createCoordinator } from '../../../src/worker/worker.ts'
import type { OpenService } from './service.ts'

const slots = 64

/**
 * A coordinator and an agent that hears, claims, confirms and completes as ours does, and whose jobs do nothing. A job
 * has started when the database has confirmed its start: nothing runs before.
 */
export const openInterlockService: OpenService = async (url, onStart) => {
  const database = new Database({ url, poolSize: 12, statementTimeoutSeconds: 0 })
  const callers = new Database({ url, poolSize: 8, statementTimeoutSeconds: 0 })
  await migrate(database)
  const logger = createSilentLogger()
  const coordinator = createCoordinator({ database, logger })
  await coordinator.start()
  const { agentId } = await registerAgent(database, {
    name: 'bench',
    queues: ['default'],
    permissionLevels: ['autonomous'],
    slots,
    tasks: null,
    host: 'bench',
    pid: process.pid,
    leaseSeconds: 3600,
    liveness: 'lease',
  })
  const store = createAttemptStore(database)
  const start = coalesce(store.startJobs, { itemsMax: slots })
  const complete = coalesce(store.completeJobs, { itemsMax: slots })
  const held = new Set<string>()
  const attempt = async ({ jobId, token, payload }: Assignment): Promise<void> => {
    if (held.has(jobId)) return
    held.add(jobId)
    const { accepted } = await start({ jobId, token })
    if (accepted) {
      onStart(Number(payload.number))
      await complete({ jobId, token, result: null })
    }
    held.delete(jobId)
    loop.ringForRoom()
  }
  const failures: unknown[] = []
  const loop = new ClaimLoop({
    agentId,
    database,
    room: () => slots - held.size,
    log: logger,
    onAssignment: (assignment) => void attempt(assignment).catch((error: unknown) => failures.push(error)),
    onGone: () => failures.push(new Error('the agent was given up')),
  })
  const heard = Promise.withResolvers<void>()
  const channels = { interlock_agent: (payload: string) => void (payload === agentId && loop.ring()) }
  const listener = new Listener({ database, channels, onListening: () => heard.resolve() })
  listener.start()
  loop.start()
  await heard.promise
  return {
    name: 'interlock',
    settings: { slots },
    async send({ user, models }, number) {
      const request = { task: 'bench', user, models, queue: 'default', payload: { number } }
      await callers.query('select job_id from interlock.enqueue_jobs($1)', [JSON.stringify([request])], 'enqueue')
    },
    async stop() {
      await loop.stop()
      await listener.stop()
      await coordinator.stop()
      await callers.end()
      await database.end()
      if (failures.length > 0) throw new AggregateError(failures, 'the agent of the benchmark failed')
    },
  }
}

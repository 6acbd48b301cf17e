import { backlogScope } from '../domain/backlog-limit.ts'
import { checkContract } from '../domain/contract.ts'
import { asJobId } from '../domain/ids.ts'
import { priorityNumber } from '../domain/priority.ts'
import { changeBacklogLimit, listBacklogLimits } from '../store/backlog-limits.ts'
import { changeJobs } from '../store/bulk-changes.ts'
import type { Database } from '../store/database.ts'
import { listDeadLetters } from '../store/dead-letters.ts'
import { setPriority } from '../store/jobs.ts'
import { changeQueue, listQueues } from '../store/queues.ts'
import { changeLimit, listResources, removeLimit } from '../store/resources.ts'
import type { Steering } from './steering.ts'

/** The operator's verbs, straight in the database. */
export function createDatabaseSteering(database: Database, actor: string | null): Steering {
  return {
    setPriority: (id, priority, reason) =>
      setPriority(database, asJobId(id), priorityNumber(priority), { actor, reason }),
    changeJobs: (change, selection, { dryRun, reason, priority, cursor }) =>
      changeJobs(database, change, selection, {
        dryRun,
        reason,
        actor,
        cursor,
        priority: priority === undefined ? undefined : priorityNumber(priority),
      }),
    deadLetters: (selection, limit) => listDeadLetters(database, selection, limit),
    queues: () => listQueues(database),
    changeQueue: (name, settings, options) => changeQueue(database, name, settings, { actor, ...options }),
    backlogLimits: () => listBacklogLimits(database),
    changeBacklogLimit: (scope, settings) =>
      changeBacklogLimit(database, checkContract(backlogScope, scope), settings, { actor }),
    resources: () => listResources(database),
    changeResource: (pattern, settings) => changeLimit(database, pattern, settings, { actor }),
    removeResource: (pattern) => removeLimit(database, pattern, { actor }),
  }
}

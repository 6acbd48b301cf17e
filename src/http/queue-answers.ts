import { createHash } from 'node:crypto'
import { type QueueHealth, queueHealth } from '../domain/queue-health.ts'
import { type QueueStatus, queueStatus } from '../domain/queue-status.ts'
import type { Database } from '../store/database.ts'
import { countCompleted, readQueueSnapshot } from '../store/queue-status.ts'
import { oldSnapshots } from '../store/upkeep.ts'

/** Lists of the status are cut here, and say so. */
export const listLimit = 100

/** What is said of the queue at one instant, made once for all who ask. */
export interface QueueAnswers {
  readonly statusJson: string
  readonly statusEtag: string
  readonly health: QueueHealth
}

export async function readQueueAnswers(database: Database): Promise<QueueAnswers> {
  const [snapshot, completed, [oldest]] = await Promise.all([
    readQueueSnapshot(database, listLimit),
    countCompleted(database),
    oldSnapshots(database),
  ])
  const status = queueStatus(snapshot, listLimit)
  return {
    statusJson: JSON.stringify(status),
    statusEtag: etagOf(status),
    health: queueHealth(snapshot, completed, oldest ?? null),
  }
}

/** A weak tag: the same queue a second later is the same answer, though the oldest has waited a second longer. */
function etagOf(status: QueueStatus): string {
  const lasting = { ...status, taken_at: null, oldest_wait_seconds: null }
  return `W/"${createHash('sha256').update(JSON.stringify(lasting)).digest('base64url').slice(0, 22)}"`
}

import { z } from 'zod'
import { agentCounts } from './agent-counts.ts'
import { judgeBackpressure } from './backpressure.ts'
import { countsByStatus, type QueueSnapshot } from './queue-status.ts'

const severity = z.enum(['degraded', 'unhealthy'])

const healthReason = z
  .object({
    code: z.enum(['no_agents', 'backpressure', 'dead_letters', 'old_snapshot']),
    severity,
    message: z.string(),
  })
  .readonly()
export type HealthReason = z.output<typeof healthReason>

/** `GET /queue/health`. */
export const queueHealthView = z
  .object({
    status: z
      .enum(['healthy', ...severity.options])
      .describe('unhealthy: jobs wait and cannot run. degraded: a person should look.'),
    running: z.literal(true),
    total_jobs: z.int(),
    pending_jobs: z.int(),
    running_jobs: z.int(),
    completed_jobs: z.int(),
    failed_jobs: z.int(),
    is_estimated: z.boolean(),
    agents: agentCounts,
    reasons: z.array(healthReason).readonly(),
  })
  .readonly()
  .meta({ id: 'QueueHealth' })
export type QueueHealth = z.output<typeof queueHealthView>

/** Who keeps what has died from being cleaned up, and since when. */
export interface KeptPast {
  readonly kind: string
  readonly name: string
  readonly seconds: number
  readonly what: string
}

/** More dead letters than this are an alarm. */
const deadLettersMax = 10

export function queueHealth(
  snapshot: QueueSnapshot,
  completed: { readonly count: number; readonly isEstimated: boolean },
  oldest: KeptPast | null = null,
): QueueHealth {
  const {
    pending = 0,
    scheduled = 0,
    paused = 0,
    deferred = 0,
    assigned = 0,
    running = 0,
    failed = 0,
  } = countsByStatus(snapshot.counts)
  const waiting = pending + scheduled + paused + deferred
  const reasons = [
    ...findReasons(snapshot, { pending, failed }),
    ...(oldest === null ? [] : [oldSnapshotReason(oldest)]),
  ]
  const severities = new Set(reasons.map(({ severity }) => severity))
  return {
    status: severities.has('unhealthy') ? 'unhealthy' : severities.has('degraded') ? 'degraded' : 'healthy',
    running: true,
    total_jobs: waiting + assigned + running + completed.count + failed,
    pending_jobs: waiting,
    running_jobs: assigned + running,
    completed_jobs: completed.count,
    failed_jobs: failed,
    is_estimated: snapshot.is_estimated || completed.isEstimated,
    agents: snapshot.agents,
    reasons,
  }
}

function findReasons(
  snapshot: QueueSnapshot,
  { pending, failed }: { readonly pending: number; readonly failed: number },
): readonly HealthReason[] {
  const reasons: HealthReason[] = []
  const pressure = judgeBackpressure({
    startableLanes: snapshot.startable_lanes,
    waitingJobs: pending,
    slotsUsed: snapshot.slots_used,
    slots: snapshot.agents.slots,
    room: snapshot.agents.room,
  })
  if (snapshot.agents.total === 0 && pending > 0) {
    reasons.push({ code: 'no_agents', severity: 'unhealthy', message: `${pending} jobs wait and no agent lives` })
  } else if (pressure.is_detected) {
    reasons.push({ code: 'backpressure', severity: 'degraded', message: pressure.reasons.join('; ') })
  }
  if (failed > deadLettersMax) {
    reasons.push({ code: 'dead_letters', severity: 'degraded', message: `${failed} jobs have failed for good` })
  }
  return reasons
}

function oldSnapshotReason({ kind, name, seconds, what }: KeptPast): HealthReason {
  const since = seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} minutes`
  const message = `${kind} ${name} has kept the past alive for ${since}, which slows claims down (${what})`
  return { code: 'old_snapshot', severity: 'degraded', message }
}

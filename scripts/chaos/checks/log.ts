import type { TimedEvent } from '../log.ts'
import type { Finding } from './finding.ts'

const isHeld = (status: string | null) => status === 'assigned' || status === 'running'
const isEnd = (event: TimedEvent) => event.from !== event.to && endings.has(event.to ?? '')
const endings: ReadonlySet<string> = new Set(['completed', 'cancelled', 'expired', 'deleted'])

interface Claim {
  readonly jobId: string
  readonly token: number
  readonly beganId: number
  endedId: number | null
}

/**
 * What job_queue_log alone proves, in the order of its numbers: they are drawn under the locks of the resources, while the
 * times are those at which the verbs began. Capacities are as they were set, by the log itself; a lowered one may be
 * exceeded by what ran already, and by nothing new.
 */
export function checkLog(log: readonly TimedEvent[]): readonly Finding[] {
  const findings: Finding[] = []
  const status = new Map<string, string | null>()
  const changedMs = new Map<string, number>()
  const tokens = new Map<string, number>()
  const claims = new Map<string, Claim>()
  const holders = new Map<string, Set<string>>()
  const released = new Map<string, number>()
  const capacities = new Map<string, number | null>()
  const ended = new Map<string, number>()
  const completed = new Map<string, number>()
  const find = (invariant: Finding['invariant'], what: string) => void findings.push({ invariant, what })

  for (const event of log) {
    if (event.type === 'limit_set') {
      capacities.set(String(event.details?.pattern), (event.details?.capacity ?? null) as number | null)
    }
    const { jobId, from, to, token } = event
    if (jobId === null || to === null) continue
    const before = status.get(jobId) ?? null
    // A claim looks at who waits first without locking it: it may say so after that one was cancelled meanwhile.
    if (event.type === 'blocked' && event.atMs <= (changedMs.get(jobId) ?? 0)) continue
    if (from !== to) changedMs.set(jobId, event.committedMs)
    if (before !== from) find('T', `event ${event.id} (${event.type}): ${jobId} was ${before}, not ${from}`)
    status.set(jobId, to)

    if (to === 'assigned' && from !== 'assigned') {
      const last = tokens.get(jobId) ?? 0
      if (token === null || token <= last) find('T', `${jobId} was given token ${token} after ${last}`)
      tokens.set(jobId, token ?? last)
      const claim: Claim = { jobId, token: token ?? 0, beganId: event.id, endedId: null }
      claims.set(jobId, claim)
      for (const resource of event.resources ?? []) {
        const using = holders.get(resource) ?? new Set()
        holders.set(resource, using)
        const capacity = capacities.has(resource) ? capacities.get(resource) : 1
        if (capacity !== null && using.size >= (capacity ?? 1))
          find('X', `${jobId} was given ${resource} (event ${event.id}) beside ${[...using].join(', ')}`)
        if ((token ?? 0) <= (released.get(resource) ?? 0))
          find('T', `${jobId} has the fence ${token} of ${resource}, after ${released.get(resource)}`)
        using.add(jobId)
      }
    } else if (isHeld(from) && !isHeld(to)) {
      const claim = claims.get(jobId)
      if (claim?.token !== token) find('D', `${jobId} ended its claim ${token}; it had ${claim?.token}`)
      claims.delete(jobId)
      for (const [resource, using] of holders) {
        if (using.delete(jobId)) released.set(resource, Math.max(released.get(resource) ?? 0, token ?? 0))
      }
    }
    if (event.type === 'completed') completed.set(jobId, (completed.get(jobId) ?? 0) + 1)
    if (isEnd(event)) ended.set(jobId, (ended.get(jobId) ?? 0) + 1)
  }
  for (const [jobId, times] of completed) if (times > 1) find('D', `${jobId} was completed ${times} times`)
  for (const [jobId, times] of ended) if (times > 1) find('D', `${jobId} ended ${times} times`)
  return findings
}

import type { Queryable } from '../../src/store/queryable.ts'

/** A line of job_queue_log. */
export interface LogEvent {
  readonly id: number
  readonly atMs: number
  readonly type: string
  readonly jobId: string | null
  readonly from: string | null
  readonly to: string | null
  readonly token: number | null
  readonly agentId: string | null
  readonly reason: string | null
  readonly resources: readonly string[] | null
  readonly details: Readonly<Record<string, unknown>> | null
}

/** One claim: from the event that gave a job to an agent to the one that ended it. */
export interface Claim {
  readonly jobId: string
  readonly token: number
  readonly agentId: string
  readonly resources: readonly string[]
  readonly assigned: LogEvent
  readonly started: LogEvent | null
  /** Null while it lasts. */
  readonly ended: LogEvent | null
}

const held: ReadonlySet<string | null> = new Set(['assigned', 'running'])
const ends: ReadonlySet<string | null> = new Set(['completed', 'failed', 'cancelled', 'expired', 'deleted'])

/** The log from an event on, in the order of its numbers; with the registrations of the agents that were there before. */
export async function readHistory(database: Queryable, afterId: number): Promise<readonly LogEvent[]> {
  return database.query<LogEvent & object>(
    `select l.id, (extract(epoch from l.created_at) * 1000)::double precision as "atMs", l.event_type as "type",
       l.job_id as "jobId", l.from_status as "from", l.to_status as "to", l.token, l.agent_id as "agentId",
       l.conflict_reason as "reason", l.resources, l.details
     from interlock.job_queue_log as l
     where l.id > $1
       or (l.event_type = 'agent_registered'
         and l.agent_id in (select a.id from interlock.agent_stats as a where a.state <> 'gone'))
     order by l.id`,
    [afterId],
  )
}

/** All claims, in the order in which they were granted. */
export function claimsOf(log: readonly LogEvent[]): readonly Claim[] {
  return log
    .filter(({ type }) => type === 'assigned')
    .map((assigned) => {
      const { jobId, token, agentId } = assigned
      if (jobId === null || token === null || agentId === null) throw new Error(`event ${assigned.id} names no claim`)
      const later = log.filter((event) => event.id > assigned.id && event.jobId === jobId && event.token === token)
      return {
        jobId,
        token,
        agentId,
        resources: assigned.resources ?? [],
        assigned,
        started: later.find(({ type }) => type === 'started') ?? null,
        ended: later.find(({ from, to }) => held.has(from) && !held.has(to)) ?? null,
      }
    })
    .sort((a, b) => a.token - b.token)
}

/** The events that ended a job for good. */
export function endsOf(log: readonly LogEvent[], jobId: string): readonly LogEvent[] {
  return log.filter((event) => event.jobId === jobId && ends.has(event.to) && event.from !== event.to)
}

/** When a job last became pending before an event; null if it never did. */
export function pendingSince(log: readonly LogEvent[], jobId: string, beforeId: number): LogEvent | null {
  const became = log.filter(({ id, to, from, ...event }) => {
    return event.jobId === jobId && id < beforeId && to === 'pending' && from !== 'pending'
  })
  return became.at(-1) ?? null
}

/** Who used the same resource directly before this claim. */
export function predecessorOn(claims: readonly Claim[], claim: Claim, resource: string): Claim | null {
  return claims.filter(({ token, resources }) => token < claim.token && resources.includes(resource)).at(-1) ?? null
}

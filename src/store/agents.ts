import type { AgentState } from '../domain/agent-view.ts'
import type { Assignment } from '../domain/assignment.ts'
import { type AssignmentJson, assignmentFromJson } from '../domain/assignment-json.ts'
import { type AgentId, asAgentId, asFencingToken, asJobId } from '../domain/ids.ts'
import { tellClaim } from '../observability/happenings.ts'
import { type HeldJob, idsOf, tokensOf } from './attempts.ts'
import type { Queryable } from './queryable.ts'

export interface Registration {
  readonly name: string
  readonly queues: readonly string[]
  readonly permissionLevels: readonly string[]
  readonly slots: number
  /** Null: any. */
  readonly tasks: readonly string[] | null
  readonly host: string | null
  readonly pid: number | null
  readonly leaseSeconds: number
  /** `connection`: it holds a session-level lock by which a killed one is noticed within seconds. */
  readonly liveness: 'connection' | 'lease'
  /** It asks for work by calls that wait, and is given none while it does not; false unless set. */
  readonly polls?: boolean
  /** The caller's own: with it, the same request again registers nothing. */
  readonly key?: string | null
}

export interface Registered {
  readonly agentId: AgentId
  readonly incarnation: number
  readonly lockClass: number
  readonly leaseUntil: Date
  /** It was registered before, with the same key. */
  readonly isRepeated: boolean
}

/** Null: not measured. */
export interface AgentLoad {
  readonly cpuPercent: number | null
  readonly memoryPercent: number | null
  /** How many jobs it has in hand; null: those that it lists. */
  readonly queueDepth: number | null
}

export interface StopOrder extends HeldJob {
  readonly reason: 'cancelled' | 'timeout' | 'stalled' | 'stale_token'
  readonly detail: string | null
}

export interface HeartbeatAnswer {
  readonly leaseUntil: Date
  readonly leaseSeconds: number
  readonly state: AgentState
  readonly stop: readonly StopOrder[]
  /** What it has not started and is to start no more. */
  readonly giveBack: readonly HeldJob[]
  /** Jobs of the agent, by the database, that it did not list: they go back. */
  readonly unknownCount: number
}

export interface Claimed {
  readonly assignments: readonly Assignment[]
  /** Lanes that were awake and could not be examined. */
  readonly contended: readonly string[]
  /** Something awake was not examined: come back at once. */
  readonly hasMore: boolean
}

/**
 * Registers a new incarnation; any former one of the name is superseded. Throws `unknown_task`, `queue_not_found`; with
 * a key `idempotency_conflict`, and `agent_not_active` where the one that it registered is over.
 */
export async function registerAgent(database: Queryable, registration: Registration): Promise<Registered> {
  const [row] = await database.query<RegistrationRow>(
    `select agent_id, incarnation, lock_class, lease_until, repeated
     from interlock.register_agent(
       p_name => $1, p_queues => $2::text[], p_slots => $3, p_tasks => $4::text[], p_permission_levels => $5::text[],
       p_host => $6, p_pid => $7, p_lease_seconds => $8, p_liveness => $9, p_polls => $10, p_key => $11)`,
    [
      registration.name,
      registration.queues,
      registration.slots,
      registration.tasks,
      registration.permissionLevels,
      registration.host,
      registration.pid,
      registration.leaseSeconds,
      registration.liveness,
      registration.polls ?? false,
      registration.key ?? null,
    ],
  )
  if (row === undefined) throw new Error('register_agent returned no row')
  return {
    agentId: asAgentId(row.agent_id),
    incarnation: row.incarnation,
    lockClass: row.lock_class,
    leaseUntil: row.lease_until,
    isRepeated: row.repeated,
  }
}

/** Extends the lease of all that it holds. Throws `agent_not_active`: stop everything and register anew. */
export async function heartbeatAgent(
  database: Queryable,
  agentId: AgentId,
  held: readonly HeldJob[],
  load: AgentLoad,
): Promise<HeartbeatAnswer> {
  const [row] = await database.query<HeartbeatRow>(
    `select lease_until, lease_seconds, state, stop, give_back, unknown_count
     from interlock.heartbeat_agent($1, $2::text[], $3::bigint[], $4)`,
    [
      agentId,
      idsOf(held),
      tokensOf(held),
      { cpu_percent: load.cpuPercent, memory_percent: load.memoryPercent, queue_depth: load.queueDepth },
    ],
    'heartbeat_agent',
  )
  if (row === undefined) throw new Error('heartbeat_agent returned no row')
  return {
    leaseUntil: row.lease_until,
    leaseSeconds: row.lease_seconds,
    state: row.state,
    stop: row.stop.map(({ job_id, token, reason, detail }) => ({
      jobId: asJobId(job_id),
      token: asFencingToken(token),
      reason,
      detail,
    })),
    giveBack: row.give_back.map(({ job_id, token }) => ({ jobId: asJobId(job_id), token: asFencingToken(token) })),
    unknownCount: row.unknown_count,
  }
}

/** What was assigned to it and not yet confirmed by it. */
export async function listAssignments(database: Queryable, agentId: AgentId): Promise<readonly Assignment[]> {
  const [row] = await database.query<{ jobs: readonly AssignmentJson[] }>(
    'select interlock.list_assignments($1) as jobs',
    [agentId],
    'list_assignments',
  )
  return (row?.jobs ?? []).map(assignmentFromJson)
}

const tellingAgent = `(select pg_notify('interlock_agent', $1) where c.jobs <> '[]')`

/** Returns how many touches it had to leave: come back for those. */
export async function absorbTouches(database: Queryable, limit = 1000): Promise<number> {
  const [row] = await database.query<{ left_over: number }>(
    'select left_over from interlock.absorb_touches($1)',
    [limit],
    'absorb_touches',
  )
  return row?.left_over ?? 0
}

/** Claims up to `limit` jobs of the agent's own routes. Throws `agent_not_active`. */
export async function claimJobs(database: Queryable, agentId: AgentId, limit: number): Promise<Claimed> {
  return told(() =>
    database.query<ClaimedRow>(
      'select jobs, contended, more from interlock.claim_jobs($1, null, $2)',
      [agentId, limit],
      'claim_jobs',
    ),
  )
}

/** The lone examination of a lane that was found contended three times running. */
export async function claimLane(database: Queryable, agentId: AgentId, laneId: string): Promise<Claimed> {
  return told(() =>
    database.query<ClaimedRow>(
      'select jobs, contended, more from interlock.claim_lane($1, $2)',
      [agentId, laneId],
      'claim_lane',
    ),
  )
}

/**
 * Claims for an agent elsewhere, which is told in the same transaction: a coordinator that ends right after it has left
 * nobody who does not know, and the start of a job is a statement and a commit nearer. Throws `agent_not_active`.
 */
export async function claimJobsFor(database: Queryable, agentId: AgentId, limit: number): Promise<Claimed> {
  return told(() =>
    database.query<ClaimedRow>(
      `select c.jobs, c.contended, c.more, ${tellingAgent} from interlock.claim_jobs($1, null, $2) as c`,
      [agentId, limit],
      'claim_jobs_for',
    ),
  )
}

/** As claimLane(), for an agent elsewhere. */
export async function claimLaneFor(database: Queryable, agentId: AgentId, laneId: string): Promise<Claimed> {
  return told(() =>
    database.query<ClaimedRow>(
      `select c.jobs, c.contended, c.more, ${tellingAgent} from interlock.claim_lane($1, $2) as c`,
      [agentId, laneId],
      'claim_lane_for',
    ),
  )
}

/** Whether any job of its routes waits for nothing but an agent, or is its own and not confirmed yet. */
export async function isAnythingLeft(database: Queryable, agentId: AgentId): Promise<boolean> {
  const [row] = await database.query<{ left: boolean }>('select interlock.is_anything_left($1) as left', [agentId])
  return row?.left ?? false
}

/** It says good-bye: nothing of it runs any more. Returns how many jobs went back. */
export async function endAgent(database: Queryable, agentId: AgentId, reason: string): Promise<number> {
  const [row] = await database.query<{ jobs_returned: number }>(
    'select jobs_returned from interlock.end_agent($1, $2)',
    [agentId, reason],
  )
  return row?.jobs_returned ?? 0
}

/** Whether a later incarnation of the same name lives: another process that goes by it. */
export async function hasSuccessor(database: Queryable, agentId: AgentId): Promise<boolean> {
  const [row] = await database.query<{ exists: boolean }>(
    `select exists (
       select
       from interlock.agent_stats as mine
       join interlock.agent_stats as other on other.name = mine.name and other.incarnation > mine.incarnation
       where mine.id = $1
         and other.state <> 'gone'
         and other.lease_until > interlock.clock()
     )`,
    [agentId],
  )
  return row?.exists ?? false
}

async function told(claim: () => Promise<ClaimedRow[]>): Promise<Claimed> {
  const startedMs = performance.now()
  const claimed = toClaimed(await claim())
  const result = claimed.assignments.length > 0 ? 'some' : claimed.contended.length > 0 ? 'contended' : 'none'
  tellClaim({ seconds: (performance.now() - startedMs) / 1000, result })
  return claimed
}

interface RegistrationRow {
  readonly agent_id: string
  readonly incarnation: number
  readonly lock_class: number
  readonly lease_until: Date
  readonly repeated: boolean
}

interface HeartbeatRow {
  readonly lease_until: Date
  readonly lease_seconds: number
  readonly state: AgentState
  readonly stop: readonly { job_id: string; token: number; reason: StopOrder['reason']; detail: string | null }[]
  readonly give_back: readonly { job_id: string; token: number }[]
  readonly unknown_count: number
}

interface ClaimedRow {
  readonly jobs: readonly AssignmentJson[]
  readonly contended: readonly string[]
  readonly more: boolean
}

function toClaimed([row]: readonly ClaimedRow[]): Claimed {
  return {
    assignments: (row?.jobs ?? []).map(assignmentFromJson),
    contended: row?.contended ?? [],
    hasMore: row?.more ?? false,
  }
}

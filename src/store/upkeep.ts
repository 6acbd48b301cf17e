import { type AgentId, asAgentId, asFencingToken, asJobId } from '../domain/ids.ts'
import type { KeptPast } from '../domain/queue-health.ts'
import type { HeldJob } from './attempts.ts'
import type { Queryable } from './queryable.ts'

export interface LostAgent {
  readonly agentId: AgentId
  readonly reason: string
}

export interface StuckClaim extends HeldJob {
  readonly reason: string
}

/** How long each kind of the past is kept, in days; 0: for ever. What a queue decides is in its row. */
export interface Retention {
  readonly logDays: number
  readonly historyDays: number
  /** Of ended jobs. */
  readonly outputDays: number
  readonly onceKeyDays: number
}

/** How many of each kind went. */
export interface Pruned {
  readonly partitions: number
  readonly results: number
  readonly outputs: number
  readonly keys: number
  readonly messages: number
  readonly dependencies: number
  readonly executions: number
  readonly dead_letters: number
  readonly agents: number
  /** Somebody reads what should go, or prunes too: later is soon enough. */
  readonly is_held_up: boolean
}

/** Makes due jobs pending; returns how many. */
export async function promoteDueJobs(database: Queryable, limit = 1000): Promise<number> {
  return oneNumber(database, 'select interlock.promote_due_jobs($1) as n', [limit], 'promote_due_jobs')
}

/** Ends jobs that have waited beyond their time to live; returns how many. */
export async function expireJobs(database: Queryable, limit = 1000): Promise<number> {
  return oneNumber(database, 'select interlock.expire_jobs($1) as n', [limit], 'expire_jobs')
}

/** Marks running jobs that give no sign of life, for their agents to stop; returns how many. */
export async function stallJobs(database: Queryable, limit = 1000): Promise<number> {
  return oneNumber(database, 'select interlock.stall_jobs($1) as n', [limit], 'stall_jobs')
}

/** Ends manual locks whose owners are gone; returns how many were found past their lease: the next call ends those. */
export async function expireLocks(database: Queryable, limit = 1000): Promise<number> {
  return oneNumber(database, 'select lapsed as n from interlock.expire_locks($1)', [limit], 'expire_locks')
}

/** Tells jobs what became of those that they depend on; whether there is more to do at once. */
export async function settleDependents(database: Queryable, limit = 1000): Promise<boolean> {
  const [row] = await database.query<{ more: boolean }>(
    'select more from interlock.settle_dependents($1)',
    [limit],
    'settle_dependents',
  )
  return row?.more ?? false
}

/** Looks at the liveness of all agents and returns who is lost. */
export async function lostAgents(database: Queryable): Promise<readonly LostAgent[]> {
  const rows = await database.query<{ agent_id: string; reason: string }>(
    'select agent_id, reason from interlock.lost_agents()',
    [],
    'lost_agents',
  )
  return rows.map(({ agent_id, reason }) => ({ agentId: asAgentId(agent_id), reason }))
}

/** Gives a lost agent up, unless it came back; returns how many jobs moved. Repeatable where it says 40001. */
export async function sweepAgent(database: Queryable, agentId: AgentId): Promise<number> {
  return oneNumber(database, 'select jobs_returned as n from interlock.sweep_agent($1)', [agentId])
}

/** Claims that nobody stands for: not confirmed in time, or unknown to their own agent. */
export async function stuckClaims(database: Queryable): Promise<readonly StuckClaim[]> {
  const rows = await database.query<{ job_id: string; token: number; reason: string }>(
    'select job_id, token, reason from interlock.stuck_claims()',
    [],
    'stuck_claims',
  )
  return rows.map(({ job_id, token, reason }) => ({ jobId: asJobId(job_id), token: asFencingToken(token), reason }))
}

/** Reserving lanes whose route is paused or unserved. */
export async function unservedReservers(database: Queryable): Promise<readonly string[]> {
  const [row] = await database.query<{ lanes: readonly string[] }>(
    'select interlock.unserved_reservers() as lanes',
    [],
    'unserved_reservers',
  )
  return row?.lanes ?? []
}

export async function stopReserving(database: Queryable, laneId: string): Promise<void> {
  await database.query('select interlock.stop_reserving($1)', [laneId])
}

/** Makes awake what may reserve by now, looking on from where it stopped; returns where to go on, empty for the start. */
export async function wakePatientLanes(database: Queryable, after: string): Promise<string> {
  const [row] = await database.query<{ next_after: string }>(
    'select next_after from interlock.wake_patient_lanes($1)',
    [after],
    'wake_patient_lanes',
  )
  return row?.next_after ?? ''
}

/** Routes with an awake lane and an agent with room. */
export async function neglectedRoutes(database: Queryable): Promise<readonly string[]> {
  const [row] = await database.query<{ routes: readonly string[] }>(
    'select interlock.neglected_routes() as routes',
    [],
    'neglected_routes',
  )
  return row?.routes ?? []
}

/** How far a round of collecting has come. */
export interface IdleCursor {
  readonly lane: string
  readonly resource: string
}

export const fromTheStart: IdleCursor = { lane: '00000000-0000-0000-0000-000000000000', resource: '' }

/** Wakes whoever waits for a start rate that has room again, each rate in a transaction of its own. */
export async function wakeRates(database: Queryable): Promise<void> {
  const [row] = await database.query<{ due: readonly string[] }>('select interlock.due_rates() as due', [], 'due_rates')
  for (const rate of row?.due ?? []) await database.query('select interlock.wake_rate($1)', [rate], 'wake_rate')
}

/** Takes empty lanes and idle slots away, a stretch of each at a time; returns where to go on. */
export async function collectIdle(database: Queryable, after: IdleCursor): Promise<IdleCursor> {
  const [row] = await database.query<{ next_lane: string; next_resource: string }>(
    'select next_lane, next_resource from interlock.collect_idle($1, $2)',
    [after.lane, after.resource],
    'collect_idle',
  )
  return row === undefined ? fromTheStart : { lane: row.next_lane, resource: row.next_resource }
}

export type PartitionedTable = 'job_queue_log' | 'task_history' | 'audit_log'

/** Makes the table's partitions for the coming days; returns how many. */
export async function ensurePartitions(database: Queryable, table: PartitionedTable): Promise<number> {
  return oneNumber(database, 'select interlock.ensure_partitions($1) as n', [table])
}

/** Lets go of up to `limit` rows of each kind, and of whole partitions of one table. */
export async function pruneHistory(database: Queryable, retention: Retention, limit: number): Promise<Pruned> {
  const { logDays, historyDays, outputDays, onceKeyDays } = retention
  const [row] = await database.query<Pruned>(
    `select partitions, results, outputs, keys, messages, dependencies, executions, dead_letters, agents, is_held_up
     from interlock.prune_history($1, $2, $3, $4, $5)`,
    [logDays, historyDays, limit, outputDays, onceKeyDays],
  )
  if (row === undefined) throw new TypeError('prune_history answered without a row')
  return row
}

/** From this age on they are worth an alarm: claims slow down with each minute. */
export const oldSnapshotSeconds = 60

/** Transactions, prepared ones and replication slots that keep what has died from being cleaned up; the oldest first. */
export async function oldSnapshots(database: Queryable): Promise<readonly KeptPast[]> {
  return database.query<KeptPast>(
    'select kind, name, seconds, what from interlock.old_snapshots($1)',
    [oldSnapshotSeconds],
    'old_snapshots',
  )
}

/** A number that was raised: of grants (tokens and fences), of jobs, of incarnations. */
export interface RaisedNumber {
  readonly name: string
  readonly was: number
  readonly isNow: number
}

/**
 * After a restore, or a failover that may have lost what was acknowledged: raises tokens, fences and the other numbers
 * above all that can have been handed out. Once, before agents are let at the database. Throws invalid_argument.
 */
export async function raiseAfterRestore(
  database: Queryable,
  { above = 0, actor = null }: { readonly above?: number; readonly actor?: string | null } = {},
): Promise<readonly RaisedNumber[]> {
  const rows = await database.query<{ name: string; was: number; is_now: number }>(
    'select name, was, is_now from interlock.raise_after_restore($1, $2)',
    [above, actor],
  )
  return rows.map(({ name, was, is_now }) => ({ name, was, isNow: is_now }))
}

async function oneNumber(
  database: Queryable,
  text: string,
  values: readonly unknown[],
  name?: string,
): Promise<number> {
  const [row] = await database.query<{ n: number }>(text, values, name)
  return row?.n ?? 0
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { AgentState } from '../domain/agent-view.ts'
import type { Assignment } from '../domain/assignment.ts'
import { Contention } from '../domain/contention.ts'
import { isInterlockError } from '../domain/errors.ts'
import type { AgentId } from '../domain/ids.ts'
import type { AgentFeed } from './agent-feed.ts'
import { absorbTouches, type Claimed, claimJobs, claimLane, listAssignments } from './agents.ts'
import type { HeldJob } from './attempts.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'

export interface WorkWait {
  readonly agentId: AgentId
  readonly limit: number
  /** What the agent has in hand: it is not told of these again. */
  readonly held: readonly HeldJob[]
  readonly waitSeconds: number
  /** Ends the wait; nothing is claimed any more then. */
  readonly signal: AbortSignal
}

export interface FoundWork {
  readonly state: AgentState
  readonly assignments: readonly Assignment[]
}

/** A bell that nobody heard, or a load that has fallen meanwhile, costs no longer than this. */
const lookAtLeastEveryMs = 2000
const contendedMsMax = 10
const roundsMax = 20

/**
 * Waits for work on behalf of an agent elsewhere, and answers with it as soon as there is any: what was assigned to it and
 * not confirmed yet, be it by a dispatch or by a claim whose answer was lost on its way, and else what it can claim.
 * Throws `agent_not_active`.
 */
export async function waitForWork(database: Queryable, feed: AgentFeed, wait: WorkWait): Promise<FoundWork> {
  const { agentId, waitSeconds, signal } = wait
  const deadlineMs = performance.now() + waitSeconds * 1000
  const contention = new Contention()
  const watch = feed.watch(agentId)
  try {
    for (;;) {
      const leftMs = deadlineMs - performance.now()
      const found = await look(database, wait, leftMs, contention).catch((error: unknown) => {
        // Whoever has begun to wait is not sent away by a moment in which the database is.
        if (isInterlockError(error, 'unavailable') && leftMs > lookAtLeastEveryMs && !signal.aborted) return null
        throw error
      })
      if (found !== null && (found.assignments.length > 0 || leftMs <= 0 || signal.aborted)) return found
      await watch.next(Math.min(leftMs, lookAtLeastEveryMs * (0.8 + Math.random() * 0.2)), signal)
    }
  } finally {
    watch.close()
    // Whoever has left listens no more, and is given nothing; it may have left in the middle of a look.
    if (signal.aborted) {
      await database.query('select interlock.listen_agent($1, 0)', [agentId]).catch(() => undefined)
    }
  }
}

async function look(
  database: Queryable,
  { agentId, limit, held, signal }: WorkWait,
  leftMs: number,
  contention: Contention,
): Promise<FoundWork> {
  const [row] = await database.query<{ readonly state: AgentState; readonly room: number }>(
    'select state, room from interlock.listen_agent($1, $2)',
    [agentId, Math.max(0, leftMs / 1000)],
    'listen_agent',
  )
  if (row === undefined) throw new TypeError('listen_agent answered without a row')
  const { state, room } = row
  const has = (job: HeldJob) => held.some(({ jobId, token }) => jobId === job.jobId && token === job.token)
  const assigned = (await listAssignments(database, agentId)).filter((assignment) => !has(assignment))
  if (assigned.length > 0) return { state, assignments: assigned }
  if (signal.aborted || room === 0) return { state, assignments: [] }
  return { state, assignments: await claim(database, agentId, { limit, contention, signal }) }
}

async function claim(
  database: Queryable,
  agentId: AgentId,
  { limit, contention, signal }: Pick<WorkWait, 'limit' | 'signal'> & { readonly contention: Contention },
): Promise<readonly Assignment[]> {
  const claimed: Assignment[] = []
  const take = ({ assignments }: Claimed) => void claimed.push(...assignments)
  for (let round = 0; round < roundsMax && claimed.length < limit && !signal.aborted; round += 1) {
    await absorbTouches(database)
    const before = claimed.length
    const found = await retryTransient(() => claimJobs(database, agentId, limit - claimed.length))
    take(found)
    for (const lane of contention.note(found.contended)) {
      if (claimed.length < limit) take(await retryTransient(() => claimLane(database, agentId, lane)))
    }
    if (!found.hasMore && found.contended.length === 0) break
    if (claimed.length === before) await sleep(Math.random() * contendedMsMax)
  }
  return claimed
}

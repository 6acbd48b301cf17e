import { type AgentCounts, type CountedAgent, countAgents, isOverloaded, roomOf } from './agent-counts.ts'
import type { AgentPolicy } from './agent-policy.ts'
import { type Backpressure, judgeBackpressure } from './backpressure.ts'
import type { QueueSnapshot } from './queue-status.ts'
import { type Recommendation, recommend } from './recommendation.ts'

export interface AllocatedAgent extends CountedAgent {
  readonly queues: readonly string[]
  readonly load_score: number
  readonly load_level: string
}

/** `GET /agents/allocation`: who would get the next job, how full the whole is, and whether there should be more or fewer. */
export interface Allocation {
  readonly taken_at: string
  readonly cluster: {
    readonly agents: AgentCounts
    readonly slots_used: number
    /** Of all slots, in percent; null without any. */
    readonly utilisation_percent: number | null
    readonly load: { readonly average: number; readonly lowest: number; readonly highest: number } | null
    readonly waiting_jobs: number
    /** Lines of jobs that wait for nothing but an agent; counted to a thousand. */
    readonly startable_lines: number
  }
  readonly policy: AgentPolicy
  readonly backpressure: Backpressure
  readonly recommendation: Recommendation
  /** In the order in which they are given jobs; those that get none last, with the reason. */
  readonly agents: readonly {
    readonly id: string
    readonly state: string
    readonly load_score: number
    readonly load_level: string
    readonly active_jobs: number
    readonly slots: number
    readonly room: number
    readonly why_none: string | null
  }[]
}

/** A queue and a permission level in which jobs wait and that no live agent takes. */
export interface UnservedRoute {
  readonly queue: string
  readonly permission_level: string
  /** One would, were it not suspended. */
  readonly is_suspended_only: boolean
}

export interface AllocationFacts {
  readonly agents: readonly AllocatedAgent[]
  readonly snapshot: QueueSnapshot
  readonly policy: AgentPolicy
  readonly unserved: readonly UnservedRoute[]
}

export function allocate({ agents, snapshot, policy, unserved }: AllocationFacts): Allocation {
  const counts = countAgents(agents)
  const pending = snapshot.counts.filter(({ queue, status }) => status === 'pending' && queue !== locksQueue)
  const waitingJobs = pending.reduce((sum, { count }) => sum + count, 0)
  const backpressure = judgeBackpressure({
    startableLanes: snapshot.startable_lanes,
    waitingJobs,
    slotsUsed: snapshot.slots_used,
    slots: counts.slots,
    room: counts.room,
  })
  const scores = agents.filter(({ state, is_late: isLate }) => state === 'active' && !isLate).map(scoreOf)
  return {
    taken_at: snapshot.taken_at,
    cluster: {
      agents: counts,
      slots_used: snapshot.slots_used,
      utilisation_percent: counts.slots === 0 ? null : rounded((snapshot.slots_used / counts.slots) * 100),
      load:
        scores.length === 0
          ? null
          : {
              average: rounded(scores.reduce((sum, score) => sum + score, 0) / scores.length),
              lowest: rounded(Math.min(...scores)),
              highest: rounded(Math.max(...scores)),
            },
      waiting_jobs: waitingJobs,
      startable_lines: snapshot.startable_lanes,
    },
    policy,
    backpressure,
    recommendation: recommend({ agents, pending, startable: snapshot.startable_lanes, policy, backpressure, unserved }),
    agents: agents.toSorted(byTurn).map((agent) => ({
      id: agent.id,
      state: agent.state,
      load_score: rounded(agent.load_score),
      load_level: agent.load_level,
      active_jobs: agent.active_jobs,
      slots: agent.slots,
      room: roomOf(agent),
      why_none: whyNone(agent, policy),
    })),
  }
}

/** Where manual locks wait: no agent runs them. */
const locksQueue = 'locks'

function whyNone(agent: AllocatedAgent, { max_utilisation: ceiling }: AgentPolicy): string | null {
  if (agent.is_late) return 'its lease is over'
  if (agent.state !== 'active') return `it is ${agent.state}`
  if (agent.active_jobs >= agent.slots) return 'all its slots are in use'
  return isOverloaded(agent) ? `its load is ${rounded(agent.load_score)}, the ceiling ${ceiling}` : null
}

function byTurn(one: AllocatedAgent, other: AllocatedAgent): number {
  const hasNone = (agent: AllocatedAgent) => Number(roomOf(agent) === 0)
  return hasNone(one) - hasNone(other) || one.load_score - other.load_score || one.id.localeCompare(other.id)
}

function scoreOf({ load_score: score }: AllocatedAgent): number {
  return score
}

function rounded(figure: number): number {
  return Math.round(figure * 10) / 10
}

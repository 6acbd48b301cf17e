import { z } from 'zod'
import { agentCounts, type CountedAgent, countAgents, isOverloaded, roomOf } from './agent-counts.ts'
import { type AgentPolicy, agentPolicy } from './agent-policy.ts'
import { type AgentState, agentStates } from './agent-view.ts'
import { backpressure as backpressureView, judgeBackpressure } from './backpressure.ts'
import { type LoadLevel, loadLevels } from './load-level.ts'
import type { QueueSnapshot } from './queue-status.ts'
import { recommend, recommendation } from './recommendation.ts'

export interface AllocatedAgent extends CountedAgent {
  readonly state: AgentState
  readonly queues: readonly string[]
  readonly load_score: number
  readonly load_level: LoadLevel
}

/** `GET /agents/allocation`: who would get the next job, how full the whole is, and whether there should be more or fewer. */
export const allocation = z
  .object({
    taken_at: z.iso.datetime({ offset: true }),
    cluster: z
      .object({
        agents: agentCounts,
        slots_used: z.int(),
        utilisation_percent: z.number().nullable().describe('Of all slots; null without any.'),
        load: z.object({ average: z.number(), lowest: z.number(), highest: z.number() }).readonly().nullable(),
        waiting_jobs: z.int(),
        startable_lines: z.int().describe('Lines of jobs that wait for nothing but an agent; counted to a thousand.'),
      })
      .readonly(),
    policy: agentPolicy,
    backpressure: backpressureView,
    recommendation,
    agents: z
      .array(
        z
          .object({
            id: z.string(),
            state: z.enum(agentStates),
            load_score: z.number(),
            load_level: z.enum(loadLevels),
            active_jobs: z.int(),
            slots: z.int(),
            room: z.int(),
            why_none: z.string().nullable(),
          })
          .readonly(),
      )
      .readonly()
      .describe('In the order in which they are given jobs; those that get none last, with the reason.'),
  })
  .readonly()
  .meta({ id: 'Allocation' })
export type Allocation = z.output<typeof allocation>

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

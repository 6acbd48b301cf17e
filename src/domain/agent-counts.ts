import { z } from 'zod'

/** What of an agent's row the figures are made of. */
export interface CountedAgent {
  readonly id: string
  readonly state: string
  readonly slots: number
  /** Of how many of them it may make use at its load. */
  readonly slots_open: number
  readonly active_jobs: number
  readonly is_late: boolean
}

/** How many agents live. Idle, busy and suspended ones are different ones; of those some drain, or are overloaded. */
export const agentCounts = z
  .object({
    total: z.int(),
    idle: z.int(),
    busy: z.int(),
    suspended: z.int(),
    draining: z.int(),
    overloaded: z.int().describe('Above the ceiling, or so near that they get no more, though they have a slot free.'),
    slots: z.int(),
    room: z.int().describe('For how many more jobs there is an agent.'),
  })
  .readonly()
  .meta({ id: 'AgentCounts' })
export type AgentCounts = z.output<typeof agentCounts>

/** The same as the snapshot of the queue has it. */
export function countAgents(agents: readonly CountedAgent[]): AgentCounts {
  const live = agents.filter(({ is_late: isLate }) => !isLate)
  const count = (fits: (agent: CountedAgent) => boolean) => live.filter(fits).length
  return {
    total: live.length,
    idle: count(({ state, active_jobs: jobs }) => state === 'active' && jobs === 0),
    busy: count(({ state, active_jobs: jobs }) => state !== 'suspended' && jobs > 0),
    suspended: count(({ state }) => state === 'suspended'),
    draining: count(({ state }) => state === 'draining'),
    overloaded: count(isOverloaded),
    slots: live.reduce((sum, { slots }) => sum + slots, 0),
    room: live.reduce((sum, agent) => sum + roomOf(agent), 0),
  }
}

export function isOverloaded({ state, slots, slots_open: open, active_jobs: jobs }: CountedAgent): boolean {
  return state === 'active' && jobs >= open && jobs < slots
}

/** How many more jobs it would be given. */
export function roomOf({ state, is_late: isLate, slots_open: open, active_jobs: jobs }: CountedAgent): number {
  return state === 'active' && !isLate ? Math.max(0, open - jobs) : 0
}

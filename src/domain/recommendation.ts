import { z } from 'zod'
import { isOverloaded, roomOf } from './agent-counts.ts'
import type { AgentPolicy } from './agent-policy.ts'
import type { AllocatedAgent, UnservedRoute } from './allocation.ts'
import type { Backpressure } from './backpressure.ts'

/** Whether there should be more agents or fewer, and why. */
export const recommendation = z
  .object({
    action: z.enum(['scale_out', 'scale_in', 'keep']),
    agents: z.int().describe('How many more, or fewer.'),
    reasons: z.array(z.string()).readonly(),
    drain: z
      .array(z.string())
      .readonly()
      .describe('Which could go: nothing of theirs runs, and the others serve all that they serve.'),
  })
  .readonly()
  .meta({ id: 'Recommendation' })
export type Recommendation = z.output<typeof recommendation>

export interface Standing {
  readonly agents: readonly AllocatedAgent[]
  readonly pending: readonly { readonly queue: string; readonly count: number }[]
  readonly startable: number
  readonly policy: AgentPolicy
  readonly backpressure: Backpressure
  readonly unserved: readonly UnservedRoute[]
}

/** Out where work waits for an agent, in where agents wait for work and twice what is used would be left; else neither. */
export function recommend(standing: Standing): Recommendation {
  const live = standing.agents.filter(({ is_late: isLate }) => !isLate)
  const out = [...missing(live, standing), ...missingLevels(live, standing), ...pressing(live, standing)]
  if (out.length > 0) {
    return {
      action: 'scale_out',
      agents: Math.max(...out.map(({ agents }) => agents)),
      reasons: out.map(({ reason }) => reason),
      drain: [],
    }
  }
  const waiting = standing.pending.reduce((sum, { count }) => sum + count, 0)
  const drain = waiting > 0 ? [] : spare(live)
  if (drain.length > 0) {
    const left = live.filter(({ id }) => !drain.includes(id)).reduce((sum, { slots }) => sum + slots, 0)
    const reason = `nothing waits, ${countOf(drain.length, 'agent is', 'agents are')} idle, and of the ${left} slots of the others at most half are in use`
    return { action: 'scale_in', agents: drain.length, reasons: [reason], drain }
  }
  return { action: 'keep', agents: 0, reasons: [whyKeep(live, standing, waiting)], drain: [] }
}

interface Need {
  readonly agents: number
  readonly reason: string
}

function missing(live: readonly AllocatedAgent[], { pending }: Standing): readonly Need[] {
  return pending.flatMap(({ queue, count }) => {
    const serving = live.filter(({ queues, state }) => queues.includes(queue) && state !== 'draining')
    const jobs = countOf(count, 'job waits', 'jobs wait')
    if (count === 0 || serving.some(({ state }) => state === 'active')) return []
    const why = serving.length === 0 ? 'which no agent serves' : 'which only suspended agents serve: resume one'
    return [{ agents: 1, reason: `${jobs} in queue ${queue}, ${why}` }]
  })
}

/** Of a queue that has agents: none of them is allowed what waits in it. */
function missingLevels(live: readonly AllocatedAgent[], { unserved }: Standing): readonly Need[] {
  return unserved.flatMap(({ queue, permission_level: level, is_suspended_only: isSuspended }) => {
    if (!live.some(({ queues, state }) => queues.includes(queue) && state === 'active')) return []
    const why = isSuspended
      ? 'only suspended agents may take: resume one'
      : `no live agent of that queue may take: start one that is allowed it (agent.permission_levels)`
    return [{ agents: 1, reason: `jobs of the permission level ${level} wait in queue ${queue}, which ${why}` }]
  })
}

function pressing(live: readonly AllocatedAgent[], standing: Standing): readonly Need[] {
  const { startable, policy, backpressure } = standing
  const active = live.filter(({ state }) => state === 'active')
  if (startable === 0 || active.length === 0 || active.some((agent) => roomOf(agent) > 0)) return []
  const needs: Need[] = []
  const slotsEach = active.reduce((sum, { slots }) => sum + slots, 0) / active.length
  // At most twice as many at a time: what is startable now is over by the time that so many have come up.
  const agents = Math.max(1, Math.min(Math.ceil(startable / slotsEach), active.length))
  if (backpressure.is_detected) needs.push({ agents, reason: backpressure.reasons.join('; ') })
  const overloaded = active.filter(isOverloaded).length
  if (overloaded > 0) {
    const who = countOf(overloaded, 'agent has', 'agents have')
    needs.push({ agents: 1, reason: `${who} free slots, but no room below the ceiling of ${policy.max_utilisation} %` })
  }
  const average = active.reduce((sum, { load_score: score }) => sum + score, 0) / active.length
  if (average >= policy.high_from) {
    needs.push({ agents: 1, reason: `the average load is ${Math.round(average)}, high from ${policy.high_from} on` })
  }
  return needs
}

/** Idle agents, as long as the others serve each queue of theirs, and have twice the slots that are in use. */
function spare(live: readonly AllocatedAgent[]): readonly string[] {
  const used = live.reduce((sum, { active_jobs: jobs }) => sum + jobs, 0)
  let left = live.filter(({ state }) => state === 'active')
  const idle = left
    .filter(({ active_jobs: jobs }) => jobs === 0)
    .toSorted((one, other) => other.load_score - one.load_score)
  const spared: string[] = []
  for (const agent of idle) {
    const others = left.filter(({ id }) => id !== agent.id)
    const isServed = agent.queues.every((queue) => others.some(({ queues }) => queues.includes(queue)))
    const slots = others.reduce((sum, other) => sum + other.slots, 0)
    if (!isServed || slots < 2 * used) continue
    spared.push(agent.id)
    left = others
  }
  return spared
}

function whyKeep(live: readonly AllocatedAgent[], { startable }: Standing, waiting: number): string {
  const room = live.reduce((sum, agent) => sum + roomOf(agent), 0)
  if (waiting === 0) return live.length === 0 ? 'nothing waits, and no agent lives' : 'nothing waits'
  if (startable === 0) return `${countOf(waiting, 'job waits', 'jobs wait')}, all of them for what others hold`
  if (room > 0) return `the agents have room for ${room} more jobs`
  return `${countOf(startable, 'line of jobs waits', 'lines of jobs wait')} for a slot, fewer than there are slots`
}

function countOf(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`
}

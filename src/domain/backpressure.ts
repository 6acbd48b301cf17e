import { z } from 'zod'
import { loadLevels } from './load-level.ts'

/** Whether more comes in than the agents can start. What waits for a busy user or model is no pressure on them. */
export const backpressure = z
  .object({ is_detected: z.boolean(), level: z.enum(loadLevels), reasons: z.array(z.string()).readonly() })
  .readonly()
  .meta({ id: 'Backpressure' })
export type Backpressure = z.output<typeof backpressure>

export interface Load {
  /** Lines whose first job waits for nothing but an agent, as far as anybody has looked; counted to a thousand. */
  readonly startableLanes: number
  readonly waitingJobs: number
  readonly slotsUsed: number
  /** Of all live agents. */
  readonly slots: number
  /** For how many more jobs there is an agent: fewer than slots are free where agents are loaded; those unless set. */
  readonly room?: number
}

/** How many startable lines there are for each slot, from which each level begins. */
const beginnings = { critical: 10, high: 3, moderate: 1 } as const

export function judgeBackpressure(load: Load): Backpressure {
  if (load.slots === 0) {
    if (load.waitingJobs === 0) return { is_detected: false, level: 'low', reasons: [] }
    return { is_detected: true, level: 'critical', reasons: [`${load.waitingJobs} jobs wait and no agent lives`] }
  }
  const room = load.room ?? load.slots - load.slotsUsed
  // While an agent has room, what is startable is about to be started.
  if (room > 0 || load.startableLanes === 0) return { is_detected: false, level: 'low', reasons: [] }
  const perSlot = load.startableLanes / load.slots
  const level = (['critical', 'high', 'moderate'] as const).find((name) => perSlot >= beginnings[name]) ?? 'low'
  return {
    is_detected: level !== 'low',
    level,
    reasons: [
      load.slotsUsed < load.slots
        ? `no agent may take more at its load (${load.slotsUsed} of ${load.slots} slots are in use), and ${load.startableLanes} lines of jobs wait for one`
        : `all ${load.slots} slots are in use and ${load.startableLanes} lines of jobs wait for one`,
    ],
  }
}

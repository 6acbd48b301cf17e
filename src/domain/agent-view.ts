import { z } from 'zod'
import { permissionLevels } from './job.ts'
import { loadLevels } from './load-level.ts'

/** What a live agent may be in; `suspended` and `draining` claim no more. */
export const agentStates = ['active', 'suspended', 'draining'] as const
export type AgentState = (typeof agentStates)[number]

const time = z.iso.datetime()

/** An incarnation of an agent that is not gone, as agent_stats has it and as every door shows it. */
export const agentView = z
  .object({
    id: z.string(),
    state: z.enum(agentStates),
    host: z.string().nullable(),
    pid: z.int().nullable(),
    queues: z.array(z.string()).readonly(),
    permission_levels: z.array(z.enum(permissionLevels)).readonly(),
    tasks: z.array(z.string()).readonly().nullable().describe('Null: any.'),
    slots: z.int(),
    active_jobs: z.int(),
    slots_open: z.int().describe('Of how many slots it may make use at its load.'),
    cpu_percent: z.number().nullable(),
    memory_percent: z.number().nullable(),
    queue_depth: z.int().nullable(),
    load_score: z.number(),
    load_level: z.enum(loadLevels),
    liveness: z
      .enum(['connection', 'lease'])
      .describe('By what its death is noticed: the loss of its connection, or the end of its lease alone.'),
    registered_at: time,
    last_heartbeat_at: time,
    lease_until: time,
    is_late: z.boolean().describe('Its lease is over, and it is about to be declared gone.'),
  })
  .readonly()
  .meta({ id: 'Agent' })
export type AgentView = z.output<typeof agentView>

/** What became of an agent that was drained, suspended or resumed. */
export const changedAgent = z
  .object({ state: z.enum(agentStates), active_jobs: z.int().describe('What it still holds, and finishes.') })
  .readonly()
export type ChangedAgent = z.output<typeof changedAgent>

import { z } from 'zod'

/** By what the load of agents is judged; columns of interlock.agent_policy. Weights are in proportion to each other. */
export const agentPolicy = z
  .object({
    cpu_weight: z.number(),
    memory_weight: z.number(),
    queue_weight: z.number(),
    moderate_from: z.number(),
    high_from: z.number(),
    critical_from: z.number(),
    max_utilisation: z.number().describe('An agent whose score is above gets no job.'),
  })
  .readonly()
  .meta({ id: 'AgentPolicy' })
export type AgentPolicy = z.output<typeof agentPolicy>

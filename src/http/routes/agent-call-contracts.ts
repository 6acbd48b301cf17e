import { z } from 'zod'
import { agentStates } from '../../domain/agent-view.ts'
import { assignmentJson } from '../../domain/assignment-json.ts'

const time = z.iso.datetime()
const agentId = z.string()
const heldJob = z.object({ job_id: z.string(), token: z.int() })

export const registered = z.object({
  agent_id: agentId.describe('This incarnation: named in every later call.'),
  incarnation: z.int(),
  lease_until: time,
  lease_seconds: z.int(),
  heartbeat_seconds: z.number().describe('How often to send a heartbeat.'),
})

export const heartbeatAnswer = z.object({
  lease_until: time,
  lease_seconds: z.int(),
  state: z.enum(agentStates).describe('suspended and draining: it is given no more jobs.'),
  stop: z
    .array(
      z.object({
        ...heldJob.shape,
        reason: z.enum(['cancelled', 'timeout', 'stalled', 'stale_token']),
        detail: z.string().nullable(),
      }),
    )
    .describe('Jobs whose processes it is to end; each is reported when it has.'),
  give_back: z.array(heldJob).describe('What it has not started, and is to start no more.'),
  unknown_count: z.int().describe('How many jobs of the agent it did not list: they go back.'),
})

export const claimed = z.object({ state: z.enum(agentStates), jobs: z.array(assignmentJson) })

export const ended = z.object({ agent_id: agentId, jobs_returned: z.int() })

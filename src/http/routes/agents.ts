import { z } from 'zod'
import { countAgents } from '../../domain/agent-counts.ts'
import { checkContract } from '../../domain/contract.ts'
import { type AgentId, asAgentId } from '../../domain/ids.ts'
import { type ChangedAgent, drainAgent, resumeAgent, suspendAgent } from '../../store/agent-changes.ts'
import { readAgents } from '../../store/agent-reader.ts'
import { readAllocation } from '../../store/allocation.ts'
import type { Database } from '../../store/database.ts'
import type { Motive } from '../../store/jobs.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})
const motive = z.strictObject({
  reason: z.string().max(4096).optional(),
  actor: z.string().min(1).max(200).optional(),
})

type Change = (database: Database, id: AgentId, motive: Motive) => Promise<ChangedAgent>

/** Who runs jobs, and what a person does about it. */
export function agentRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/agents', scope: 'read', answer: list },
    { method: 'GET', path: '/agents/allocation', scope: 'read', answer: allocation },
    { method: 'POST', path: '/agents/:id/drain', scope: 'operate', answer: (call) => change(call, drainAgent) },
    { method: 'POST', path: '/agents/:id/suspend', scope: 'operate', answer: (call) => change(call, suspendAgent) },
    { method: 'POST', path: '/agents/:id/resume', scope: 'operate', answer: (call) => change(call, resumeAgent) },
  ]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    const agents = await readAgents(database)
    // Dates become ISO 8601 as JSON; the rest of a row is what it says.
    return { status: 200, body: { agents, counts: countAgents(agents) } }
  }

  async function allocation({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    return { status: 200, body: await readAllocation(database) }
  }

  async function change({ request, actorOf }: Call, verb: Change): Promise<Answer> {
    const id = asAgentId(pathParameter(request, 'id'))
    const { actor, reason } = checkContract(motive, request.body ?? {})
    return { status: 200, body: { agent_id: id, ...(await verb(database, id, { actor: actorOf(actor), reason })) } }
  }
}

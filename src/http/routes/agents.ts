import { z } from 'zod'
import { agentCounts, countAgents } from '../../domain/agent-counts.ts'
import { agentView, type ChangedAgent, changedAgent } from '../../domain/agent-view.ts'
import { allocation as allocationView } from '../../domain/allocation.ts'
import { checkContract } from '../../domain/contract.ts'
import { type AgentId, asAgentId } from '../../domain/ids.ts'
import { drainAgent, resumeAgent, suspendAgent } from '../../store/agent-changes.ts'
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
const agentList = z.object({ agents: z.array(agentView), counts: agentCounts })
const changedAnswer = z.object({ agent_id: z.string(), ...changedAgent.unwrap().shape }).meta({ id: 'ChangedAgent' })

type Change = (database: Database, id: AgentId, motive: Motive) => Promise<ChangedAgent>

/** Who runs jobs, and what a person does about it. */
export function agentRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/agents',
      scope: 'read',
      name: 'list_agents',
      summary: 'The agents that live, each with its queues, slots, load and last heartbeat.',
      answers: { 200: agentList },
      answer: list,
    },
    {
      method: 'GET',
      path: '/agents/allocation',
      scope: 'read',
      name: 'get_allocation',
      summary:
        'How jobs are shared out among the agents, who gets the next one, and whether there should be more agents or fewer.',
      answers: { 200: allocationView },
      answer: allocation,
    },
    {
      method: 'POST',
      path: '/agents/:id/drain',
      scope: 'operate',
      name: 'drain_agent',
      summary: 'Gives an agent no more jobs, for good: it finishes what it holds and is not coming back.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedAnswer },
      answer: (call) => change(call, drainAgent),
    },
    {
      method: 'POST',
      path: '/agents/:id/suspend',
      scope: 'operate',
      name: 'suspend_agent',
      summary: 'Gives an agent no more jobs until it is resumed; it finishes what it holds.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedAnswer },
      answer: (call) => change(call, suspendAgent),
    },
    {
      method: 'POST',
      path: '/agents/:id/resume',
      scope: 'operate',
      name: 'resume_agent',
      summary: 'Gives a suspended agent jobs again; one that drains stays so.',
      body: motive,
      isBodyOptional: true,
      answers: { 200: changedAnswer },
      answer: (call) => change(call, resumeAgent),
    },
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

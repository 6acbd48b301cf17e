import type { ChangedAgent } from '../domain/agent-view.ts'
import type { AgentId } from '../domain/ids.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'

/** Finishes what it holds, claims no more, and is not coming back. Throws `agent_not_active`. */
export function drainAgent(queryable: Queryable, agentId: AgentId, motive: Motive = {}): Promise<ChangedAgent> {
  return change(queryable, 'select state, active_jobs from interlock.drain_agent($1, $2, $3)', agentId, motive)
}

/** Finishes what it holds, and claims no more until it is resumed. Throws `agent_not_active`. */
export function suspendAgent(queryable: Queryable, agentId: AgentId, motive: Motive = {}): Promise<ChangedAgent> {
  return change(queryable, 'select state, active_jobs from interlock.suspend_agent($1, $2, $3)', agentId, motive)
}

/** Claims again. Throws `agent_not_active`. */
export function resumeAgent(queryable: Queryable, agentId: AgentId, motive: Motive = {}): Promise<ChangedAgent> {
  return change(queryable, 'select state, active_jobs from interlock.resume_agent($1, $2, $3)', agentId, motive)
}

async function change(
  queryable: Queryable,
  text: string,
  agentId: AgentId,
  { actor, reason }: Motive,
): Promise<ChangedAgent> {
  const [row] = await queryable.query<ChangedAgent>(text, [agentId, actor ?? null, reason ?? null])
  if (row === undefined) throw new TypeError('a verb of agents answered without a row')
  return row
}

import { type AgentId, asAgentId } from '../domain/ids.ts'
import type { Queryable } from './queryable.ts'

export interface AgentWithRoom {
  readonly agentId: AgentId
  /** How many more jobs it may hold. */
  readonly room: number
  /** Its load by now, and what one more job adds to it. */
  readonly score: number
  readonly scorePerJob: number
}

/** The live agents of a route that have room, the least loaded first. */
export async function agentsWithRoom(database: Queryable, route: string): Promise<readonly AgentWithRoom[]> {
  const rows = await database.query<{ agent_id: string; room: number; score: number; score_per_job: number }>(
    'select agent_id, room, score, score_per_job from interlock.agents_with_room($1)',
    [route],
    'agents_with_room',
  )
  return rows.map(({ agent_id, room, score, score_per_job }) => ({
    agentId: asAgentId(agent_id),
    room,
    score,
    scorePerJob: score_per_job,
  }))
}

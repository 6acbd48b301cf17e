import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { readAgents } from '../../store/agent-reader.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const noQuery = z.strictObject({})

/** Who runs jobs: every agent that lives, with its load and its lease. */
export function agentRoutes({ database }: Services): readonly Route[] {
  return [{ method: 'GET', path: '/agents', answer: list }]

  async function list({ request }: Call): Promise<Answer> {
    checkContract(noQuery, { ...request.query })
    // Dates become ISO 8601 as JSON; the rest of a row is what it says.
    return { status: 200, body: { agents: await readAgents(database) } }
  }
}

import { type Allocation, allocate } from '../domain/allocation.ts'
import { readAgents } from './agent-reader.ts'
import { readAgentPolicy } from './policy.ts'
import type { Queryable } from './queryable.ts'
import { readQueueSnapshot } from './queue-status.ts'

/** How jobs are shared out among the agents, and whether there should be more of them or fewer. */
export async function readAllocation(queryable: Queryable): Promise<Allocation> {
  const [agents, snapshot, policy] = await Promise.all([
    readAgents(queryable),
    readQueueSnapshot(queryable, 1),
    readAgentPolicy(queryable),
  ])
  return allocate({ agents, snapshot, policy })
}

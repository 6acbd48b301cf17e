import { type Allocation, allocate, type UnservedRoute } from '../domain/allocation.ts'
import { readAgents } from './agent-reader.ts'
import { readAgentPolicy } from './policy.ts'
import type { Queryable } from './queryable.ts'
import { readQueueSnapshot } from './queue-status.ts'

/** How jobs are shared out among the agents, and whether there should be more of them or fewer. */
export async function readAllocation(queryable: Queryable): Promise<Allocation> {
  const [agents, snapshot, policy, unserved] = await Promise.all([
    readAgents(queryable),
    readQueueSnapshot(queryable, 1),
    readAgentPolicy(queryable),
    queryable.query<UnservedRoute>(
      `select u.queue, u.permission_level, u.is_suspended_only
       from interlock.unserved_routes as u
       order by u.route`,
    ),
  ])
  return allocate({ agents, snapshot, policy, unserved })
}

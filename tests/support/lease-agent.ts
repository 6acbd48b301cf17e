import type { AgentId } from '../../src/domain/ids.ts'
import { registerAgent } from '../../src/store/agents.ts'
import type { Queryable } from '../../src/store/queryable.ts'

/** An agent without processes, known to live by its lease alone; whoever has its id may claim and hold in its name. */
export async function registerLeaseAgent(
  database: Queryable,
  { name, slots = 200, leaseSeconds = 300 }: { name: string; slots?: number; leaseSeconds?: number },
): Promise<AgentId> {
  const { agentId } = await registerAgent(database, {
    name,
    queues: ['default'],
    permissionLevels: ['autonomous'],
    slots,
    tasks: null,
    host: 'here',
    pid: process.pid,
    leaseSeconds,
    liveness: 'lease',
  })
  return agentId
}

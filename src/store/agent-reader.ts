import type { AgentView } from '../domain/agent-view.ts'
import type { Queryable } from './queryable.ts'

type TimeKey = 'registered_at' | 'last_heartbeat_at' | 'lease_until'
export type AgentRow = { readonly [Key in keyof AgentView]: Key extends TimeKey ? Date : AgentView[Key] }

/** Every process that lives (not who holds manual locks), by id; is_late: its lease is over, and it is about to be declared gone. */
export function readAgents(queryable: Queryable): Promise<AgentRow[]> {
  return queryable.query<AgentRow>(
    `select a.id, a.state, a.host, a.pid, a.queues, a.permission_levels, a.tasks, a.slots, a.active_jobs, a.slots_open,
       a.cpu_percent, a.memory_percent, a.queue_depth, a.load_score, a.load_level, a.liveness,
       a.registered_at, a.last_heartbeat_at, a.lease_until, a.lease_until < interlock.clock() as is_late
     from interlock.agent_stats as a
     where a.state <> 'gone'
       and a.id <> interlock.locks_agent()
     order by a.id`,
  )
}

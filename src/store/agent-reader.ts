import type { Queryable } from './queryable.ts'

/** An incarnation of an agent that is not gone, as agent_stats has it. */
export interface AgentRow {
  readonly id: string
  readonly state: 'active' | 'suspended' | 'draining' | 'gone'
  readonly host: string | null
  readonly pid: number | null
  readonly queues: readonly string[]
  readonly permission_levels: readonly string[]
  readonly tasks: readonly string[] | null
  readonly slots: number
  readonly active_jobs: number
  /** Of how many slots it may make use at its load. */
  readonly slots_open: number
  readonly cpu_percent: number | null
  readonly memory_percent: number | null
  readonly queue_depth: number | null
  readonly load_score: number
  readonly load_level: string
  readonly liveness: 'connection' | 'lease'
  readonly registered_at: Date
  readonly last_heartbeat_at: Date
  readonly lease_until: Date
  readonly is_late: boolean
}

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

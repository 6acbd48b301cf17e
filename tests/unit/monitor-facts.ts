import type { AgentsNow } from '../../src/cli/backend.ts'
import type { MonitorData } from '../../src/cli/monitor/monitor-data.ts'
import type { Scene } from '../../src/cli/monitor/scene.ts'
import { type AllocatedAgent, allocate } from '../../src/domain/allocation.ts'
import { type ActiveJob, type QueuedJob, type QueueSnapshot, queueStatus } from '../../src/domain/queue-status.ts'
import type { QueueView } from '../../src/domain/queue-view.ts'

type Agent = AgentsNow['agents'][number]

/** What a coordinator would answer, made by the same functions as its own answers. */
export interface Facts {
  readonly running?: readonly Partial<ActiveJob>[]
  readonly waiting?: readonly Partial<QueuedJob>[]
  readonly agents?: readonly Partial<Agent>[]
  readonly paused?: readonly string[]
  readonly startableLanes?: number
  readonly alarms?: MonitorData['alarms']
}

const now = '2027-01-01T12:00:00.000Z'

export function ago(seconds: number): string {
  return new Date(Date.parse(now) - seconds * 1000).toISOString()
}

export function monitorData({
  running = [],
  waiting = [],
  agents = [],
  paused = [],
  startableLanes = 0,
  alarms = [],
}: Facts): MonitorData {
  const active = running.map(activeJob)
  const queued = waiting.map(queuedJob)
  const present = agents.map(agent)
  const judged: readonly AllocatedAgent[] = present.map((one) => ({ ...one, is_late: false }))
  const policy = {
    ...{ cpu_weight: 40, memory_weight: 35, queue_weight: 25 },
    ...{ moderate_from: 40, high_from: 60, critical_from: 80, max_utilisation: 80 },
  }
  const snapshot: QueueSnapshot = {
    taken_at: now,
    is_estimated: false,
    counts: ['default', 'high', 'low'].flatMap((queue) => {
      const pending = queued.filter((job) => job.queue === queue).length
      const runs = active.filter((job) => job.queue === queue).length
      return [
        ...(pending === 0 ? [] : [{ queue, status: 'pending' as const, count: pending }]),
        ...(runs === 0 ? [] : [{ queue, status: 'running' as const, count: runs }]),
      ]
    }),
    pending: Object.fromEntries(
      Object.entries(Object.groupBy(queued, ({ priority }) => priority)).map(([name, jobs]) => [
        name,
        jobs?.length ?? 0,
      ]),
    ),
    oldest_queued_at: queued.map((job) => job.queued_at).toSorted()[0] ?? null,
    active_jobs: active,
    queued_jobs: queued,
    slots_used: active.length,
    by_user: {},
    users_active: 0,
    user_locks: 0,
    user_lock_details: [],
    startable_lanes: startableLanes,
    backlog: [],
    agents: allocate({
      agents: judged,
      snapshot: { counts: [], startable_lanes: 0, slots_used: 0 } as never,
      policy,
      unserved: [],
    }).cluster.agents,
  }
  const allocation = allocate({ agents: judged, snapshot, policy, unserved: [] })
  return {
    status: queueStatus(snapshot, 100),
    agents: { agents: present, counts: allocation.cluster.agents },
    allocation,
    queues: ['default', 'high', 'low'].map(
      (name) => ({ name, is_paused: paused.includes(name), tasks: null }) as QueueView,
    ),
    alarms,
  }
}

export function sceneOf(data: MonitorData | null, more: Partial<Scene> = {}): Scene {
  return {
    place: 'http://127.0.0.1:7400',
    refreshSeconds: 2,
    data,
    details: null,
    detailsTrouble: null,
    trouble: null,
    silentSeconds: 0,
    notice: null,
    ...more,
  }
}

function activeJob(job: Partial<ActiveJob>): ActiveJob {
  return {
    job_id: 'a1',
    job_type: 'normal',
    models: [],
    status: 'running',
    task: 'resize',
    user: 'alice',
    queue: 'default',
    agent_id: 'one.1',
    resources: [],
    progress: null,
    progress_description: null,
    assigned_at: ago(61),
    started_at: ago(60),
    must_end_at: ago(-3600),
    ...job,
  }
}

function queuedJob(job: Partial<QueuedJob>): QueuedJob {
  return {
    job_id: 'w1',
    job_type: 'normal',
    model: null,
    models: [],
    task: 'resize',
    user: 'alice',
    queue: 'default',
    priority: 'normal',
    blocked_by_job_id: null,
    conflict_reason: null,
    queued_at: ago(125),
    ...job,
  }
}

function agent(given: Partial<Agent>): Agent {
  return {
    id: 'one.1',
    state: 'active',
    host: 'here',
    pid: 1,
    queues: ['default', 'high', 'low'],
    slots: 4,
    slots_open: 4,
    active_jobs: 0,
    cpu_percent: 12,
    memory_percent: 34,
    queue_depth: 0,
    load_score: 17,
    load_level: 'low',
    last_heartbeat_at: ago(1.2),
    ...given,
  } as Agent
}

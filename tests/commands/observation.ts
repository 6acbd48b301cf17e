// What the model is compared with: the property test's observation, and what it leaves out.

import { type Observation, observationQuery } from '../property/observation.ts'
import type { Stage } from '../property/stage.ts'

/** Times are seconds since the run began. */
export interface JobRow {
  readonly id: string
  readonly status: string
  readonly task: string
  readonly queue: string
  /** Of a manual lock its owner. */
  readonly user: string | null
  readonly level: string
  readonly resources: readonly string[]
  readonly priority: number
  readonly token: number | null
  readonly agent: string | null
  /** Sorted by name; null: it holds nothing. */
  readonly held: readonly string[] | null
  readonly attempt: number
  readonly maxAttempts: number
  readonly askedToStopAt: number | null
  readonly progress: number | null
  readonly runAt: number | null
  readonly expiresAt: number | null
  readonly startedAt: number | null
  readonly timeoutSeconds: number
  readonly retryDelays: readonly number[] | null
  readonly assignedAt: number | null
  /** Of a manual lock: until when its owner is believed to be there, and for how long after it asked. */
  readonly leaseUntil: number | null
  readonly waitSeconds: number | null
}

export interface AgentRow {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly routes: readonly string[]
  readonly slots: number
  readonly active: number
  readonly leaseSeconds: number
  readonly leaseUntil: number
  readonly lastHeartbeatAt: number
  readonly endedAt: number | null
  readonly endReason: string | null
}

/** That one job waits for another, or waited. */
export interface DependencyRow {
  /** Both ids. */
  readonly id: string
  readonly child: string
  readonly parent: string
  readonly needs: 'success' | 'any'
  /** What the child was told of the parent's end; null: nothing yet. */
  readonly outcome: string | null
}

export interface ScheduleRow {
  /** Its name. */
  readonly id: string
  readonly isPaused: boolean
  readonly cron: string
  /** Null: not computed yet. */
  readonly nextAt: number | null
  readonly revision: number
  readonly lastJob: string | null
}

/** A question to a person. */
export interface RequestRow {
  readonly id: string
  readonly job: string
  readonly token: number
  readonly state: string
  readonly expiresAt: number
  /** In resource order. */
  readonly givenBack: readonly string[] | null
  /** Who stands in line for what was given back. */
  readonly companion: string | null
  readonly isResumed: boolean
  /** Under which its job holds again what it gave back. */
  readonly fence: number | null
}

export interface Observed {
  readonly seen: Observation
  readonly jobs: readonly JobRow[]
  readonly agents: readonly AgentRow[]
  readonly dependencies: readonly DependencyRow[]
  readonly schedules: readonly ScheduleRow[]
  readonly requests: readonly RequestRow[]
  /** Outcomes in task_history by job, sorted. */
  readonly ended: Readonly<Record<string, readonly string[]>>
  /** `resource slot`, its fence and holder, of every slot that was ever granted. */
  readonly fences: Readonly<Record<string, readonly [number, string | null]>>
  /** Of all touches, all bytes of output, all lanes: what a refused call must not change. */
  readonly rest: string
}

const seconds = (column: string) => `extract(epoch from ${column} - '2030-01-01'::timestamptz)::float8`

const more = `
  json_build_object(
    'jobs', (select coalesce(json_agg(json_build_object(
        'id', j.id, 'status', j.status, 'task', j.task, 'queue', j.queue, 'user', j.user_name, 'level', j.permission_level, 'resources', j.resources,
        'priority', j.priority, 'token', j.token, 'agent', j.agent_id,
        'held', case when j.held is not null then array(select h from unnest(j.held) as h order by h collate "C") end,
        'attempt', j.attempt, 'maxAttempts', j.max_attempts, 'askedToStopAt', ${seconds('j.cancel_requested_at')},
        'progress', j.progress, 'runAt', ${seconds('j.run_at')}, 'expiresAt', ${seconds('j.expires_at')},
        'startedAt', ${seconds('j.started_at')}, 'timeoutSeconds', j.timeout_seconds, 'retryDelays', j.retry_delays_seconds,
        'assignedAt', ${seconds('j.assigned_at')}, 'leaseUntil', ${seconds('j.lease_until')}, 'waitSeconds', (j.payload ->> 'wait_seconds')::integer
      ) order by j.id), '[]') from interlock.jobs as j),
    'agents', (select coalesce(json_agg(json_build_object(
        'id', a.id, 'name', a.name, 'state', a.state, 'routes', a.routes, 'slots', a.slots, 'active', a.active_jobs,
        'leaseSeconds', a.lease_seconds, 'leaseUntil', ${seconds('a.lease_until')},
        'lastHeartbeatAt', ${seconds('a.last_heartbeat_at')}, 'endedAt', ${seconds('a.ended_at')}, 'endReason', a.end_reason
      ) order by a.incarnation), '[]') from interlock.agent_stats as a),
    'dependencies', (select coalesce(json_agg(json_build_object(
        'id', d.job_id || ' on ' || d.parent_id, 'child', d.job_id, 'parent', d.parent_id, 'needs', d.needs, 'outcome', d.parent_outcome
      ) order by d.job_id, d.parent_id), '[]') from interlock.job_dependencies as d),
    'schedules', (select coalesce(json_agg(json_build_object(
        'id', s.name, 'isPaused', s.is_paused, 'cron', s.cron, 'nextAt', ${seconds("nullif(s.next_at, '-infinity')")},
        'revision', s.revision, 'lastJob', s.last_job_id
      ) order by s.name), '[]') from interlock.schedules as s),
    'requests', (select coalesce(json_agg(json_build_object(
        'id', m.id, 'job', m.job_id, 'token', m.token, 'state', m.state, 'expiresAt', ${seconds('m.expires_at')}, 'givenBack', m.given_back, 'companion', m.companion_id,
        'isResumed', m.resumed_at is not null, 'fence', m.resume_fence
      ) order by m.id), '[]') from interlock.job_messages as m where m.kind = 'request'),
    'ended', (select coalesce(json_object_agg(h.job_id, h.outcomes), '{}') from (
        select t.job_id, array_agg(t.outcome order by t.outcome) as outcomes from interlock.task_history as t group by t.job_id) as h),
    'fences', (select coalesce(json_object_agg(s.resource || ' ' || s.slot, json_build_array(s.fence, s.active_job_id)), '{}')
      from interlock.job_queue_state as s where s.fence is not null),
    'rest', (select md5(coalesce(string_agg(t.line, ' ' order by t.line), '')) from (
        select concat_ws(',', x.lane_id, x.inserted_by) as line from interlock.job_lane_touches as x
        union all
        select concat_ws(',', l.id, l.rank, l.blocked_on, l.reserving) from interlock.job_lanes as l
        union all
        select concat_ws(',', d.id, d.parent_id) from interlock.job_dependency_touches as d
        union all
        select concat_ws(',', o.job_id, o.total_bytes) from interlock.job_output as o) as t)
  )`

export interface Looking {
  readonly audited: boolean
  /** Whether the clock goes on by a second first. */
  readonly ticks: boolean
}

/** Reads everything that is committed. */
export async function look(stage: Pick<Stage, 'look'>, { audited, ticks }: Looking): Promise<Observed> {
  const text = `select o.seen, ${more} as more from (${observationQuery({ audited, ticks })}) as o`
  const [row] = await stage.look<{ seen: Observation; more: Omit<Observed, 'seen'> }>(text)
  if (row === undefined) throw new Error('nothing was observed')
  return { seen: row.seen, ...row.more }
}

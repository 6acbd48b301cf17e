// The state of the database, as plain values that the checks and the next step are computed from.

import type { Stage } from './stage.ts'

export interface JobSeen {
  readonly id: string
  readonly status: string
  readonly task: string
  readonly queue: string
  readonly route: string
  readonly resources: readonly string[]
  readonly lane: string
  readonly token: number | null
  readonly agent: string | null
  readonly isHeld: boolean
  readonly isAskedToStop: boolean
  /** For the time of a question it has given back all of its resources from this one on. */
  readonly lentFrom: string | null
  readonly runAt: number | null
}

export interface LaneSeen {
  readonly id: string
  readonly route: string
  readonly task: string
  readonly resources: readonly string[]
  /** Microseconds; null: nothing waits. */
  readonly rank: number | null
  readonly blockedOn: string | null
  readonly reserving: boolean
}

export interface SlotSeen {
  readonly resource: string
  readonly slot: number
  readonly job: string | null
  readonly lane: string | null
  /** Of a start rate: until when its latest start counts. */
  readonly takenUntil: number | null
}

export interface LimitSeen {
  readonly pattern: string
  readonly capacity: number | null
  readonly paused: boolean
  readonly startsPerMinute: number | null
  /** Its capacity and rate are those that would apply without it. */
  readonly isPauseOnly: boolean
}

export interface AgentSeen {
  readonly id: string
  readonly name: string
  readonly state: string
  readonly routes: readonly string[]
  readonly slots: number
  readonly active: number
  readonly endedAt: number | null
  readonly leaseUntil: number
}

export interface Observation {
  /** Seconds since the history began. */
  readonly now: number
  readonly jobs: readonly JobSeen[]
  readonly lanes: readonly LaneSeen[]
  /** Those that are held or reserved, or that a start has ever taken. */
  readonly slots: readonly SlotSeen[]
  readonly limits: readonly LimitSeen[]
  readonly pausedQueues: readonly string[]
  readonly agents: readonly AgentSeen[]
  readonly touches: number
  readonly violations: readonly { readonly violation: string }[]
}

export const observationSupport = `
  create sequence interlock_test.seconds minvalue 0 start 0;
  -- Time stands still within a step: what happens at one instant has to be right as well.
  create or replace function interlock.clock() returns timestamptz
  language sql volatile
  as $$ select '2030-01-01'::timestamptz + (select last_value from interlock_test.seconds) * interval '1 second' $$;
  -- And chance has no part in it: a wait is what it is named.
  create or replace function interlock.chance() returns double precision
  language sql volatile
  as $$ select 0.5::float8 $$;
`

const jobs = `
  select coalesce(json_agg(json_build_object(
    'id', j.id, 'status', j.status, 'task', j.task, 'queue', j.queue, 'route', j.queue || '/' || j.permission_level,
    'resources', j.resources, 'lane', j.lane_id, 'token', j.token, 'agent', j.agent_id, 'isHeld', j.held is not null,
    'isAskedToStop', j.cancel_requested_at is not null,
    'lentFrom', (select m.given_back[1] from interlock.job_messages as m
      where m.job_id = j.id and m.token = j.token and m.given_back is not null and m.resumed_at is null),
    'runAt', extract(epoch from j.run_at - '2030-01-01'::timestamptz)::float8) order by j.id), '[]')
  from interlock.jobs as j`
const lanes = `
  select coalesce(json_agg(json_build_object(
    'id', l.id, 'route', l.route, 'task', l.task, 'resources', l.resources,
    'rank', (extract(epoch from l.rank - '2030-01-01'::timestamptz) * 1e6)::bigint,
    'blockedOn', interlock.obstacle_of(l.blocked_on), 'reserving', l.reserving) order by l.id), '[]')
  from interlock.job_lanes as l`
const slots = `
  select coalesce(json_agg(json_build_object(
    'resource', s.resource, 'slot', s.slot, 'job', s.active_job_id, 'lane', s.reserved_lane_id,
    'takenUntil', extract(epoch from s.taken_until - '2030-01-01'::timestamptz)::float8) order by s.resource, s.slot), '[]')
  from interlock.job_queue_state as s
  where s.active_job_id is not null or s.reserved_lane_id is not null or s.taken_until is not null`
const limits = `
  select coalesce(json_agg(json_build_object(
    'pattern', l.pattern, 'capacity', l.capacity, 'paused', l.is_paused, 'startsPerMinute', l.starts_per_minute,
    'isPauseOnly', l.is_pause_only) order by l.pattern), '[]')
  from interlock.resource_limits as l`
const agents = `
  select coalesce(json_agg(json_build_object(
    'id', a.id, 'name', a.name, 'state', a.state, 'routes', a.routes, 'slots', a.slots, 'active', a.active_jobs,
    'endedAt', extract(epoch from a.ended_at - '2030-01-01'::timestamptz)::float8,
    'leaseUntil', extract(epoch from a.lease_until - '2030-01-01'::timestamptz)::float8) order by a.incarnation), '[]')
  from interlock.agent_stats as a`

/** One row, one column: an Observation. With `ticks` the clock goes on by a second first. */
export function observationQuery({ audited, ticks }: { readonly audited: boolean; readonly ticks: boolean }): string {
  return `
    select json_build_object(
      'now', (select ${ticks ? "nextval('interlock_test.seconds')" : 'last_value from interlock_test.seconds'}),
      'jobs', (${jobs}),
      'lanes', (${lanes}),
      'slots', (${slots}),
      'limits', (${limits}),
      'pausedQueues', (select coalesce(json_agg(q.name order by q.name), '[]') from interlock.queues as q where q.is_paused),
      'agents', (${agents}),
      'touches', (select count(*) from interlock.job_lane_touches),
      'violations', (${audited ? "select coalesce(json_agg(v), '[]') from interlock.violations as v" : "select '[]'::json"})
    ) as seen`
}

/** Without a step. */
export async function moveClock(stage: Pick<Stage, 'look'>, seconds: number): Promise<void> {
  await stage.look(`select setval('interlock_test.seconds', last_value + $1::bigint) from interlock_test.seconds`, [
    Math.ceil(seconds),
  ])
}

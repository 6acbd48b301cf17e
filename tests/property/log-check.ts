// What the log alone proves, once all is worked off: exclusivity, legal and gapless lives, one end each.

import { Violated } from './checks.ts'
import { demandOf, limitOf } from './demand.ts'
import type { LimitSeen } from './observation.ts'
import type { World } from './world.ts'

interface LogRow {
  readonly id: number
  readonly event: string
  readonly job: string | null
  readonly from: string | null
  readonly to: string | null
  readonly token: number | null
  readonly resources: readonly string[] | null
  readonly details: Record<string, unknown> | null
}

interface LimitLogged {
  readonly pattern: string
  readonly capacity?: number | null
  readonly paused?: boolean
  readonly starts_per_minute?: number | null
}

interface JobKnown {
  readonly job: string
  readonly queue: string
  readonly task: string
  readonly resources: readonly string[]
  readonly ends: readonly string[]
}

const logQuery = `
  select l.id, l.event_type as event, l.job_id as job, l.from_status as "from", l.to_status as "to", l.token, l.resources, l.details
  from interlock.job_queue_log as l
  where l.event_type not in ('blocked', 'reprioritised')
  order by l.id`

const jobsQuery = `
  select j.id as job, j.queue, j.task, j.resources, coalesce(t.ends, '{}') as ends
  from interlock.jobs as j
  left join (select h.job_id, array_agg(h.outcome) as ends from interlock.task_history as h group by h.job_id) as t on t.job_id = j.id
  union all
  select h.job_id, min(h.queue), min(h.task), min(h.resources), array_agg(h.outcome)
  from interlock.task_history as h
  where not exists (select from interlock.jobs as j where j.id = h.job_id)
  group by h.job_id`

const isClaimed = (status: string | null) => status === 'assigned' || status === 'running'
const finalEnds = new Set(['completed', 'cancelled', 'expired', 'deleted'])

/** Returns how many starts there were. */
export async function checkLog(world: World): Promise<number> {
  const log = await world.stage.look<LogRow>(logQuery)
  const jobs = new Map((await world.stage.look<JobKnown>(jobsQuery)).map((job) => [job.job, job]))
  const limits = new Map<string, LimitSeen>()
  const statuses = new Map<string, string>()
  const tokens = new Map<string, number>()
  const running = new Map<string, { token: number; job: JobKnown }>()
  const fences = new Map<string, number>()
  const completed = new Map<string, number | null>()
  const asked = new Set<string>()
  let starts = 0

  for (const row of log) {
    const { event, job, from, to, token } = row
    // Whoever changes a limit does it while no claim is under way, so the log's order is the true one.
    if (event === 'limit_set' || event === 'limit_removed')
      applyLimit(limits, event, row.details as unknown as LimitLogged)
    if (event === 'cancel_requested') asked.add(`${job} ${token}`)
    if (job === null || from === to) continue

    if ((statuses.get(job) ?? null) !== from)
      throw new Violated('a life with a gap', `${job} was ${statuses.get(job)}, ${event} says ${from} (log ${row.id})`)
    statuses.set(job, to ?? '')
    const known = jobs.get(job)
    if (known === undefined) throw new Violated('a job was lost', `${job} is in the log only`)

    if (to === 'assigned') {
      starts++
      checkStart(row, known, { limits: [...limits.values()], tokens, fences, running })
      running.set(job, { token: token ?? 0, job: known })
    } else if (isClaimed(from) && !isClaimed(to)) {
      if (running.get(job)?.token !== token)
        throw new Violated('a claim ended under another token', `${job} ${event} (log ${row.id})`)
      running.delete(job)
      if ((to === 'pending' || to === 'scheduled') && asked.has(`${job} ${token}`))
        throw new Violated('asked to stop, and it waits again', `${job} ${event} (log ${row.id})`)
      // Claims of one batch are logged in any order, so a fence is compared with those that have ended.
      for (const resource of known.resources) fences.set(resource, Math.max(fences.get(resource) ?? 0, token ?? 0))
    }
    if (event === 'completed') {
      if (completed.has(job)) throw new Violated('completed twice', job)
      completed.set(job, token)
    }
  }
  checkEnds(world, jobs, statuses, completed)
  return starts
}

/** As set_limit(), remove_limit() and pause_resource() log it; without a capacity it was the last of these. */
function applyLimit(
  limits: Map<string, LimitSeen>,
  event: string,
  { pattern, capacity, paused, ...more }: LimitLogged,
): void {
  const before = limits.get(pattern)
  if (capacity !== undefined) {
    const startsPerMinute = more.starts_per_minute ?? null
    limits.set(pattern, { pattern, capacity, paused: paused === true, startsPerMinute, isPauseOnly: false })
  } else if (event === 'limit_set')
    limits.set(pattern, {
      ...(before ?? { pattern, capacity: null, startsPerMinute: null, isPauseOnly: true }),
      paused: true,
    })
  else if (paused === false && before?.isPauseOnly === false) limits.set(pattern, { ...before, paused: false })
  else limits.delete(pattern)
}

function checkStart(
  { id, job, token, resources }: LogRow,
  known: JobKnown,
  {
    limits,
    tokens,
    fences,
    running,
  }: {
    limits: readonly LimitSeen[]
    tokens: Map<string, number>
    fences: Map<string, number>
    running: ReadonlyMap<string, { job: JobKnown }>
  },
): void {
  const fence = token ?? 0
  if (fence <= (tokens.get(known.job) ?? 0)) throw new Violated('a token fell', `${job} (log ${id})`)
  tokens.set(known.job, fence)
  const demand = demandOf(limits, known)
  if (demand.join() !== (resources ?? []).join())
    throw new Violated('a job was not given what it needs', `${job} needs ${demand}, was given ${resources}`)
  for (const resource of demand) {
    if (fence <= (fences.get(resource) ?? 0)) throw new Violated('a fence fell', `${resource} (log ${id})`)
    const { capacity, paused } = limitOf(limits, resource)
    if (paused) throw new Violated('a paused resource was granted', `${resource} to ${job} (log ${id})`)
    const users = [...running.values()].filter((other) => demandOf(limits, other.job).includes(resource))
    if (users.length >= capacity)
      throw new Violated(
        'overlap in the log',
        `${resource} to ${job} beside ${users.map((other) => other.job.job).join(', ')}, capacity ${capacity} (log ${id})`,
      )
  }
}

/** Every job is accounted for, and ended once. */
function checkEnds(
  world: World,
  jobs: ReadonlyMap<string, JobKnown>,
  statuses: ReadonlyMap<string, string>,
  completed: ReadonlyMap<string, number | null>,
): void {
  for (const [job, { ends }] of jobs) {
    const status = statuses.get(job)
    if (ends.filter((end) => finalEnds.has(end)).length > 1) throw new Violated('ended twice', `${job} ${ends}`)
    const last = world.scene.seen.jobs.find(({ id }) => id === job)?.status ?? ends.find((end) => finalEnds.has(end))
    if (status !== last)
      throw new Violated('the log and the tables differ', `${job} is ${last}, the log says ${status}`)
    if (!finalEnds.has(status ?? '') && status !== 'failed' && status !== 'paused')
      throw new Violated('a job was lost', `${job} is ${status}`)
  }
  for (const { job, token } of world.completed) {
    if (!completed.has(job)) throw new Violated('an accepted end was lost', job)
    if (completed.get(job) !== token) throw new Violated('an end was accepted under an old token', `${job}, ${token}`)
  }
  if (new Set(world.completed.map(({ job }) => job)).size !== world.completed.length)
    throw new Violated('accepted twice', JSON.stringify(world.completed))
}

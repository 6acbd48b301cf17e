// One step of a history: something that a caller, an agent, a person or the tick does, chosen by chance.

import { type JobSeen, moveClock } from './observation.ts'
import type { Session } from './session.ts'
import type { World } from './world.ts'

type Step = (world: World, session: Session) => Promise<void>

export const weights = {
  enqueue: 26,
  absorb: 10,
  claim: 20,
  claimLane: 5,
  complete: 14,
  startJobs: 5,
  failJob: 5,
  returnJobs: 3,
  cancel: 4,
  confirmCancel: 2,
  reprioritise: 2,
  deleteJob: 1,
  openTransaction: 6,
  requeue: 2,
  startPaused: 1,
  limit: 4,
  pauseResource: 2,
  pauseQueue: 1.5,
  policy: 0.7,
  comeOrGo: 2,
  sweep: 1,
  heartbeat: 1,
  stopReserving: 2,
  wakePatient: 3,
  promote: 2,
  expire: 1,
  collect: 1.5,
} as const

/** Of the verbs that a history may have its eye on, which step calls it. */
export const stepOfVerb: Readonly<Record<string, StepName>> = {
  absorb_touches: 'absorb',
  claim_jobs: 'claim',
  claim_lane: 'claimLane',
  complete_jobs: 'complete',
  set_limit: 'limit',
  end_agent: 'comeOrGo',
  collect_idle: 'collect',
  cancel_job: 'cancel',
}

export type StepName = keyof typeof weights

const tokens = (jobs: readonly JobSeen[]) => [jobs.map(({ id }) => id), jobs.map(({ token }) => token)]
const showJobs = (jobs: readonly JobSeen[]) => jobs.map(({ id }) => id).join(' ')
const showRefused = (rows: readonly Record<string, unknown>[]) =>
  rows.flatMap(({ job_id, reason }) => (reason === null ? [] : [`${job_id} ${reason}`])).join(', ')

function newJob(world: World): Record<string, unknown> {
  const { random, setting } = world
  const resources = new Set(
    Array.from({ length: random.whole(1, setting.keysOfAJob) }, () => random.pick(setting.keys) ?? ''),
  )
  const user = [...resources].find((key) => key.startsWith('user:'))
  if (user !== undefined) resources.delete(user)
  world.jobsEnqueued++
  return {
    id: `j${world.jobsEnqueued}`,
    task: random.pick(setting.tasks),
    queue: random.pick(setting.queues),
    permission_level: random.pick(setting.levels),
    priority: random.whole(0, 3),
    resources: [...resources],
    retry_delays_seconds: [3],
    max_attempts: random.whole(1, 3),
    ttl_seconds: random.chance(0.03) ? 20 : 0,
    ...(user === undefined ? {} : { user: user.slice('user:'.length) }),
    ...(random.chance(0.04) ? { delay_seconds: random.whole(1, 20) } : {}),
    ...(random.chance(0.03) ? { start: false } : {}),
  }
}

const enqueue: Step = async (world, session) => {
  const count = world.random.chance(0.4) ? world.random.whole(2, 5) : 1
  const jobs = Array.from({ length: count }, () => newJob(world))
  await world.call(session, {
    verb: 'enqueue_jobs',
    parameters: '$1::jsonb',
    values: [JSON.stringify(jobs)],
    shown: jobs
      .map((job) => {
        const keys = [...(job.user === undefined ? [] : [`user:${job.user}`]), ...(job.resources as string[])]
        return `${job.id} ${job.queue}/${job.permission_level} ${job.task} p${job.priority} [${keys.join(' ')}]`
      })
      .join('; '),
  })
}

const absorb: Step = (world, session) =>
  world.call(session, {
    verb: 'absorb_touches',
    parameters: '$1',
    values: [world.random.chance(0.3) ? 1000 : world.random.whole(1, 4)],
    onRows: ([row]) => `${row?.absorbed} absorbed, ${row?.left_over} left`,
  })

/** Notes what a claim started and found contended. */
function onClaimed(world: World, agent: string): (rows: readonly Record<string, unknown>[]) => string {
  return ([row]) => {
    const { jobs, contended, more } = row as { jobs: { job_id: string }[]; contended: string[]; more: boolean }
    const before = world.contended.get(agent)
    world.contended.set(agent, new Map(contended.map((lane) => [lane, (before?.get(lane) ?? 0) + 1])))
    const started = jobs.length === 0 ? 'nothing started' : `starts ${jobs.map(({ job_id }) => job_id).join(' ')}`
    return `${started}${contended.length > 0 ? `, ${contended.length} contended` : ''}${more ? ', more' : ''}`
  }
}

const claim: Step = async (world, session) => {
  const agent = world.random.pick(world.agents())
  if (agent === undefined) return
  const routes = world.random.chance(0.5) ? null : world.random.some(agent.routes, 0.6)
  const limit = world.random.chance(0.15) ? 100 : world.random.whole(1, 3)
  await world.call(session, {
    verb: 'claim_jobs',
    parameters: '$1, $2::text[], $3',
    values: [agent.id, routes, limit],
    refusals: ['IL004'],
    onRows: onClaimed(world, agent.id),
  })
}

const claimLane: Step = async (world, session) => {
  const candidates = world
    .agents()
    .flatMap(({ id }) => [...(world.contended.get(id) ?? [])].map(([lane, times]) => ({ id, lane, times })))
  const often = candidates.filter(({ times }) => times >= 3)
  const chosen = world.random.pick(often.length > 0 ? often : candidates)
  if (chosen === undefined) return
  await world.call(session, {
    verb: 'claim_lane',
    parameters: '$1, $2',
    values: [chosen.id, chosen.lane],
    refusals: ['IL004'],
    onRows: onClaimed(world, chosen.id),
  })
}

const complete: Step = async (world, session) => {
  const held = world.held()
  const one = world.random.pick(held)
  const jobs = world.random.chance(0.4) ? world.random.some(held, 0.5) : one ? [one] : []
  const late = world.random.chance(0.15) ? world.random.pick(world.lapsed.slice(-8)) : undefined
  await completeJobs(world, session, late === undefined ? jobs : [...jobs.filter(({ id }) => id !== late.id), late])
}

export async function completeJobs(world: World, session: Session, jobs: readonly JobSeen[]): Promise<void> {
  if (jobs.length === 0) return
  await world.call(session, {
    verb: 'complete_jobs',
    parameters: '$1::text[], $2::bigint[]',
    values: tokens(jobs),
    shown: showJobs(jobs),
    onRows: (rows) => {
      rows.forEach(({ accepted }, n) => {
        const job = jobs[n]
        if (accepted === true && job?.token !== null && job !== undefined) {
          world.completed.push({ job: job.id, token: job.token })
        }
      })
      return showRefused(rows)
    },
  })
}

const startJobs: Step = async (world, session) => {
  const jobs = world.random.some(world.jobsThatAre('assigned'), 0.7)
  if (jobs.length === 0) return
  await world.call(session, {
    verb: 'start_jobs',
    parameters: '$1::text[], $2::bigint[]',
    values: tokens(jobs),
    shown: showJobs(jobs),
    onRows: showRefused,
  })
}

const failJob: Step = async (world, session) => {
  const job = world.random.pick(world.held())
  if (job === undefined) return
  const retry = world.random.pick(['auto', 'now', 'now', 'never'])
  await world.call(session, {
    verb: 'fail_job',
    parameters: `$1, $2, '{"message": "no"}', $3`,
    values: [job.id, job.token, retry],
    shown: `${job.id}, ${retry}`,
    refusals: ['IL001', 'IL002'],
    onRows: ([row]) => String(row?.status),
  })
}

const returnJobs: Step = async (world, session) => {
  const jobs = world.random.some(world.held(), 0.3)
  if (jobs.length === 0) return
  await world.call(session, {
    verb: 'return_jobs',
    parameters: `$1::text[], $2::bigint[], 'returned'`,
    values: tokens(jobs),
    shown: showJobs(jobs),
    onRows: showRefused,
  })
}

const cancel: Step = async (world, session) => {
  const waiting = world.jobsThatAre('pending', 'pending', 'scheduled', 'paused')
  const job = world.random.pick(world.random.chance(0.75) ? waiting : world.held())
  if (job === undefined) return
  await world.call(session, {
    verb: 'cancel_job',
    parameters: '$1',
    values: [job.id],
    refusals: ['IL003'],
    onRows: ([row]) => String(row?.status),
  })
}

const confirmCancel: Step = async (world, session) => {
  const job = world.random.pick(world.held().filter(({ isAskedToStop }) => isAskedToStop))
  if (job === undefined) return
  await world.call(session, {
    verb: 'confirm_cancel',
    parameters: '$1, $2',
    values: [job.id, job.token],
    shown: job.id,
    refusals: ['IL001', 'IL002', 'IL003'],
  })
}

const reprioritise: Step = async (world, session) => {
  const job = world.random.pick(world.jobsThatAre('pending', 'scheduled', 'assigned'))
  if (job === undefined) return
  await world.call(session, {
    verb: 'set_priority',
    parameters: '$1, $2',
    values: [job.id, world.random.whole(0, 6) / 2],
    refusals: ['IL003'],
  })
}

const deleteJob: Step = async (world, session) => {
  const job = world.random.pick(world.jobsThatAre('pending', 'scheduled', 'failed', 'paused'))
  if (job === undefined) return
  await world.call(session, { verb: 'delete_job', parameters: '$1', values: [job.id], refusals: ['IL003'] })
}

/** A caller's own transaction, which stays open for some steps. */
const openTransaction: Step = async (world, session) => {
  const verb = world.random.pick([enqueue, cancel, cancel, cancel, reprioritise, deleteJob])
  session.isInTransaction = true
  await world.stage.play(session, { label: 'begin', text: 'begin', values: [], isVerb: false })
  await verb?.(world, session)
}

/** Ends a caller's transaction, one way or the other. */
export const closeTransaction: Step = async (world, session) => {
  const text = world.random.chance(0.5) ? 'commit' : 'rollback'
  session.isInTransaction = false
  await world.stage.play(session, { label: text, text, values: [], isVerb: false })
}

const requeue: Step = async (world, session) => {
  const job = world.random.pick(world.jobsThatAre('failed', 'scheduled'))
  if (job === undefined) return
  await world.call(session, { verb: 'requeue_job', parameters: '$1', values: [job.id], refusals: ['IL003'] })
}

const startPaused: Step = async (world, session) => {
  const job = world.random.pick(world.jobsThatAre('paused'))
  if (job === undefined) return
  await world.call(session, { verb: 'start_paused_job', parameters: '$1', values: [job.id], refusals: ['IL003'] })
}

/** Limits come, change and go: of single resources, of prefixes, of everything, of a queue, of a task. */
const limit: Step = async (world, session) => {
  const { random, setting } = world
  const implied = [
    'limit:all',
    ...setting.queues.map((name) => `queue:${name}`),
    ...setting.tasks.map((name) => `task:${name}`),
  ]
  const patterns = ['user:*', 'model:*', ...(random.chance(0.5) ? implied : setting.keys)]
  const existing = world.scene.seen.limits.map(({ pattern }) => pattern)
  if (random.chance(0.3)) {
    const pattern = random.pick(existing)
    if (pattern === undefined) return
    await world.call(session, { verb: 'remove_limit', parameters: '$1', values: [pattern] })
    return
  }
  const pattern = random.pick(setting.isCounted ? [...patterns, ...setting.keys] : patterns)
  const capacity = random.chance(0.12) ? null : random.chance(0.08) ? 0 : random.whole(1, 3)
  await world.call(session, { verb: 'set_limit', parameters: '$1, $2', values: [pattern, capacity] })
}

const pauseResource: Step = async (world, session) => {
  const { limits } = world.scene.seen
  const paused = limits.filter((row) => row.paused)
  const key = world.random.pick(world.random.chance(0.5) ? paused.map(({ pattern }) => pattern) : world.setting.keys)
  if (key === undefined) return
  const row = limits.find(({ pattern }) => pattern === key)
  await world.call(session, {
    verb: 'set_limit',
    parameters: '$1, $2, $3',
    values: [key, row === undefined ? 1 : row.capacity, row?.paused !== true],
  })
}

const pauseQueue: Step = async (world, session) => {
  const { pausedQueues } = world.scene.seen
  const queue = world.random.pick(world.random.chance(0.5) ? pausedQueues : world.setting.queues)
  if (queue === undefined) return
  await world.call(session, {
    verb: 'set_queue',
    parameters: '$1, $2::jsonb',
    values: [queue, JSON.stringify({ is_paused: !pausedQueues.includes(queue) })],
  })
}

const policy: Step = async (world, session) => {
  const settings = world.random.chance(0.5)
    ? { patience_seconds: world.random.pick(['0', '5', '50', 'Infinity']) }
    : { scheduling: world.random.pick(['fair', 'fifo']) }
  await world.call(session, {
    verb: 'set_queue',
    parameters: '$1, $2::jsonb',
    values: [world.random.pick(world.setting.queues), JSON.stringify(settings)],
  })
}

/** An agent ends, or one that is missing registers; sometimes one registers again without having ended. */
const comeOrGo: Step = async (world, session) => {
  const { random, setting } = world
  const alive = world.agents()
  const missing = setting.agents.filter(({ name }) => !alive.some((agent) => agent.name === name))
  const comes =
    missing.length > 0 && random.chance(0.6)
      ? random.pick(missing)
      : random.chance(0.2)
        ? random.pick(setting.agents)
        : undefined
  if (comes !== undefined) {
    await world.call(session, registration(comes, random.chance(0.25) ? 30 : 3600))
    return
  }
  const goes = random.pick(alive)
  if (goes === undefined) return
  await world.call(session, { verb: 'end_agent', parameters: '$1', values: [goes.id], refusals: ['40001'] })
}

export function registration(
  {
    name,
    queues,
    levels,
    slots,
  }: { name: string; queues: readonly string[]; levels: readonly string[]; slots: number },
  leaseSeconds: number,
) {
  return {
    verb: 'register_agent',
    parameters: '$1, $2::text[], $3, null, $4::text[], p_lease_seconds => $5',
    values: [name, queues, slots, levels, leaseSeconds],
  }
}

const sweep: Step = async (world, session) => {
  const { now } = world.scene.seen
  const agent = world.random.pick(world.agents().filter(({ leaseUntil }) => leaseUntil <= now))
  if (agent === undefined) return
  await world.call(session, { verb: 'sweep_agent', parameters: '$1', values: [agent.id], refusals: ['40001'] })
}

const heartbeat: Step = async (world, session) => {
  const agent = world.random.pick(world.agents())
  if (agent === undefined) return
  const jobs = world.held().filter((job) => job.agent === agent.id)
  await world.call(session, {
    verb: 'heartbeat_agent',
    parameters: '$1, $2::text[], $3::bigint[]',
    values: [agent.id, ...tokens(jobs)],
    shown: agent.id,
    refusals: ['IL004'],
  })
}

const stopReserving: Step = async (world, session) => {
  const lane = world.random.pick(world.scene.seen.lanes.filter(({ reserving }) => reserving))
  if (lane === undefined) return
  await world.call(session, {
    verb: 'stop_reserving',
    parameters: '$1',
    values: [lane.id],
    onRows: ([row]) => String(row?.stop_reserving),
  })
}

const wakePatient: Step = async (world, session) => {
  if (!world.setting.hasTicks) return
  await world.call(session, {
    verb: 'wake_patient_lanes',
    parameters: `'', $1`,
    values: [world.random.chance(0.3) ? 1 : 200],
    onRows: ([row]) => `${row?.woken} woken`,
  })
}

const promote: Step = (world, session) =>
  world.call(session, { verb: 'promote_due_jobs', parameters: '$1', values: [world.random.whole(1, 5)] })

const expire: Step = (world, session) => world.call(session, { verb: 'expire_jobs' })

/** What has been idle for a minute goes; now and then that minute passes first. */
const collect: Step = async (world, session) => {
  if (world.random.chance(0.3)) await moveClock(world.stage, 61)
  await world.call(session, { verb: 'collect_idle' })
}

export const steps: Readonly<Record<StepName, Step>> = {
  enqueue,
  absorb,
  claim,
  claimLane,
  complete,
  startJobs,
  failJob,
  returnJobs,
  cancel,
  confirmCancel,
  reprioritise,
  deleteJob,
  openTransaction,
  requeue,
  startPaused,
  limit,
  pauseResource,
  pauseQueue,
  policy,
  comeOrGo,
  sweep,
  heartbeat,
  stopReserving,
  wakePatient,
  promote,
  expire,
  collect,
}

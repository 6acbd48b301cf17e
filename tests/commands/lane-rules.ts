// The verbs that start jobs, and what the scheduler's own rows are changed by. Which jobs a claim starts is its
// own choice, as long as each of them may start.

import { isRefusedAsAgent } from './agent-rules.ts'
import type { ModelAgent } from './model.ts'
import { disagree, expectRefusal, type Rule, type Situation, theRow, type VerbCall } from './rule.ts'

interface Assigned {
  readonly job_id: string
  readonly token: number
  readonly attempt: number
  readonly fences: Readonly<Record<string, number>>
}

export function claimJobs(agentId: string, limit: number, routes: readonly string[] | null = null): VerbCall {
  return {
    verb: 'claim_jobs',
    parameters: '$1, $2::text[], $3',
    values: [agentId, routes, limit],
    shown: `${agentId}, ${routes === null ? 'all' : routes.join('+') || 'no'} routes, ${limit}`,
    rule: (situation) => {
      if (limit < 1) expectRefusal(situation, 'IL005')
      else expectStarts(situation, agentId, limit, routes)
    },
  }
}

export function claimLane(agentId: string, laneId: string): VerbCall {
  return {
    verb: 'claim_lane',
    parameters: '$1, $2::uuid',
    values: [agentId, laneId],
    shown: `${agentId}, lane ${laneId.slice(0, 6)}`,
    rule: (situation) => expectStarts(situation, agentId, 1, null),
  }
}

function expectStarts(situation: Situation, agentId: string, limit: number, routes: readonly string[] | null): void {
  const { model } = situation
  if (isRefusedAsAgent(situation, agentId)) return
  const agent = model.agents.get(agentId) as ModelAgent
  const started = theRow(situation).jobs as readonly Assigned[]
  const room = agent.state === 'active' ? agent.slots - model.heldBy(agentId).length : 0
  if (started.length > Math.min(limit, room))
    disagree(`${started.length} jobs were started, ${limit} asked for, with room for ${room}`)
  for (const assigned of started) expectStart(situation, agent, assigned, routes)
}

function expectStart(
  { model, before, at, answeredAt, isCommit }: Situation,
  agent: ModelAgent,
  { job_id, token, attempt, fences }: Assigned,
  routes: readonly string[] | null,
): void {
  const job = model.jobs.get(job_id)
  if (job === undefined || job.status !== 'pending') disagree(`${job_id} was started, and is ${job?.status ?? 'gone'}`)
  const route = `${job.queue}/${job.level}`
  const isPaused = model.pausedQueues.has(job.queue) && before.pausedQueues.has(job.queue) && !isCommit
  if (!agent.routes.includes(route) || routes?.includes(route) === false || isPaused)
    disagree(`${job_id} was started, and ${route} is not for ${agent.id} now`)
  const demand = model.demandOf(job)
  if (JSON.stringify(Object.keys(fences).toSorted()) !== JSON.stringify([...demand].toSorted()))
    disagree(`${job_id} needs ${demand.join(' ')}, and was given ${Object.keys(fences).join(' ')}`)
  for (const resource of demand) {
    const { capacity, paused } = model.capacityOf(resource)
    const holders = model.holdersOf(resource)
    if (paused || holders.length >= capacity)
      disagree(`${job_id} was given ${resource} beside ${holders.join(' ')}, capacity ${paused ? 'paused' : capacity}`)
    if (token <= (model.fences.get(resource) ?? 0) || fences[resource] !== token)
      disagree(`the fence of ${resource} was ${model.fences.get(resource)} and is ${fences[resource]}, token ${token}`)
    model.noteFence(resource, token)
  }
  if (token <= (job.token ?? 0) || attempt !== job.attempt + 1)
    disagree(`${job_id} was started with token ${token} after ${job.token}, attempt ${attempt} after ${job.attempt}`)
  for (const rate of model.ratesOf(job)) {
    const starts = model.startsOf(rate, answeredAt)
    if (starts.length >= model.capacityOf(rate).capacity)
      disagree(
        `${job_id} was started beside ${starts.length} starts of the last minute, ${rate} ${starts.map(({ until }) => until)}`,
      )
    model.noteStart(rate, token, at)
  }
  model.given = [...model.given, { job: job_id, token }]
  model.change(job_id, {
    status: 'assigned',
    token,
    agent: agent.id,
    attempt,
    held: [...demand].toSorted(),
    progress: null,
    assignedAt: at,
    startedAt: null,
  })
}

/** A verb that changes nothing that the model knows of. */
export function behindTheScenes(
  verb: string,
  parameters: string,
  values: readonly unknown[],
  rule: Rule = theRow,
): VerbCall {
  return { verb, parameters, values, shown: values.map(String).join(', '), rule }
}

export function absorbTouches(limit: number): VerbCall {
  return behindTheScenes('absorb_touches', '$1', [limit], (situation) => {
    const { absorbed, left_over } = theRow(situation)
    if (Number(absorbed) > limit || Number(left_over) < 0) disagree(`${absorbed} absorbed, ${left_over} left`)
  })
}

export const wakePatientLanes = (after: string, limit: number): VerbCall =>
  behindTheScenes('wake_patient_lanes', '$1, $2', [after, limit])
export const unservedReservers = (): VerbCall => behindTheScenes('unserved_reservers', '', [])
export const stopReserving = (laneId: string): VerbCall => behindTheScenes('stop_reserving', '$1::uuid', [laneId])
export const collectIdle = (): VerbCall => behindTheScenes('collect_idle', '', [])

export type QueueSettings = Readonly<Record<string, unknown>>

export function setQueue(name: string, settings: QueueSettings, refusal: string | null = null): VerbCall {
  return {
    verb: 'set_queue',
    parameters: '$1, $2::jsonb',
    values: [name, JSON.stringify(settings)],
    shown: `${name}, ${JSON.stringify(settings)}`,
    rule: (situation) => {
      const { model } = situation
      if (refusal !== null) {
        expectRefusal(situation, refusal)
        return
      }
      theRow(situation)
      if (settings.is_paused === undefined) return
      const paused = [...model.pausedQueues].filter((queue) => queue !== name)
      model.pausedQueues = new Set(settings.is_paused === true ? [...paused, name] : paused)
    },
  }
}

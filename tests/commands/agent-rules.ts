// The verbs of agents, and of who gives them up.

import { putBack, retryWait } from './holder-rules.ts'
import { type Claim, incarnationOf, locksAgent, type Model, type ModelAgent } from './model.ts'
import { disagree, expectRefusal, expectRows, isBeaten, type Situation, theRow, type VerbCall } from './rule.ts'

export interface Registration {
  readonly name: string
  readonly queues: readonly string[]
  readonly levels: readonly string[]
  readonly slots: number
  readonly leaseSeconds: number
}

export const queueNames = ['default', 'low']

export function registerAgent({ name, queues, levels, slots, leaseSeconds }: Registration): VerbCall {
  return {
    verb: 'register_agent',
    parameters: '$1, $2::text[], $3, null, $4::text[], p_lease_seconds => $5',
    values: [name, queues, slots, levels, leaseSeconds],
    shown: `${name}, ${queues.join('+')}, ${slots} slots, lease ${leaseSeconds}`,
    rule: (situation) => {
      const { model, at } = situation
      const isOfLocks = name === 'locks' || queues.includes('locks')
      const isUnknown = queues.some((queue) => !queueNames.includes(queue))
      if (isOfLocks || isUnknown || slots < 1) {
        expectRefusal(situation, isUnknown && !isOfLocks ? 'IL012' : 'IL005')
        return
      }
      const id = String(theRow(situation).agent_id)
      if (!id.startsWith(`${name}.`) || model.agents.has(id)) disagree(`${id} is not a new incarnation of ${name}`)
      for (const agent of model.agents.values()) {
        if (agent.name !== name || agent.state === 'gone') continue
        model.changeAgent(agent.id, {
          state: 'draining',
          leaseUntil: Math.min(agent.leaseUntil, at),
          endReason: 'superseded',
        })
      }
      model.incarnations = Math.max(model.incarnations, incarnationOf(id))
      model.agents.set(id, {
        id,
        name,
        state: model.suspendedNames.has(name) ? 'suspended' : 'active',
        routes: queues.flatMap((queue) => levels.map((level) => `${queue}/${level}`)).toSorted(),
        slots,
        leaseSeconds,
        leaseUntil: at + leaseSeconds,
        lastHeartbeatAt: at,
        endedAt: null,
        endReason: null,
      })
    },
  }
}

export function heartbeatAgent(agentId: string, claims: readonly Claim[]): VerbCall {
  return {
    verb: 'heartbeat_agent',
    parameters: '$1, $2::text[], $3::bigint[]',
    values: [agentId, claims.map(({ job }) => job), claims.map(({ token }) => token)],
    shown: `${agentId}, ${claims.map(({ job }) => job).join(' ')}`,
    rule: (situation) => {
      const { model, before, at, isCommit } = situation
      if (isRefusedAsLocks(situation, agentId) || isRefusedAsAgent(situation, agentId)) return
      const agent = model.agents.get(agentId)
      if (agent === undefined) return
      const { lease_seconds, state, stop, unknown_count } = theRow(situation)
      const actual = {
        lease_seconds,
        state,
        unknown_count,
        stop: (stop as { job_id: string; token: number; reason: string }[])
          .map(({ job_id, token, reason }) => `${job_id} ${token} ${reason}`)
          .toSorted(),
      }
      const [said, ...expected] = [
        actual,
        heartbeatAnswer(model, agent, claims, at),
        heartbeatAnswer(before, agent, claims, at),
      ].map((answer) => JSON.stringify(answer))
      if (!isCommit && !expected.some((answer) => answer === said))
        disagree(`${expected[0]} had to come, and ${said} did`)
      model.changeAgent(agentId, { leaseUntil: at + agent.leaseSeconds, lastHeartbeatAt: at })
    },
  }
}

function heartbeatAnswer(model: Model, agent: ModelAgent, claims: readonly Claim[], at: number): object {
  const unlisted = model
    .heldBy(agent.id)
    .filter(
      ({ id, token, status, startedAt }) =>
        status === 'running' &&
        (startedAt ?? 0) < agent.lastHeartbeatAt &&
        !claims.some((claim) => claim.job === id && claim.token === token),
    )
  return {
    lease_seconds: agent.leaseSeconds,
    state: agent.state,
    unknown_count: unlisted.length,
    stop: claims.flatMap((claim) => reasonToStop(model, agent.id, claim, at)).toSorted(),
  }
}

function reasonToStop(model: Model, agentId: string, { job: id, token }: Claim, at: number): string[] {
  const job = model.jobs.get(id)
  if (job === undefined || model.claimOf(id, token) !== 'current' || job.agent !== agentId)
    return [`${id} ${token} stale_token`]
  if (job.askedToStopAt !== null) return [`${id} ${token} cancelled`]
  if (job.startedAt !== null && job.startedAt + job.timeoutSeconds < at) return [`${id} ${token} timeout`]
  return []
}

export function drainAgent(agentId: string): VerbCall {
  return {
    verb: 'drain_agent',
    parameters: '$1',
    values: [agentId],
    shown: agentId,
    rule: (situation) => {
      if (isRefusedAsLocks(situation, agentId) || isRefusedAsAgent(situation, agentId)) return
      const { model } = situation
      expectRows(situation, [{ state: 'draining', active_jobs: model.heldBy(agentId).length }])
      model.changeAgent(agentId, { state: 'draining' })
    },
  }
}

/** Suspending and resuming: nothing becomes of one that drains. */
function changeAgent(verb: 'suspend_agent' | 'resume_agent', from: string, to: 'active' | 'suspended') {
  return (agentId: string): VerbCall => ({
    verb,
    parameters: '$1',
    values: [agentId],
    shown: agentId,
    rule: (situation) => {
      if (isRefusedAsLocks(situation, agentId) || isRefusedAsAgent(situation, agentId)) return
      const { model } = situation
      const state = model.agents.get(agentId)?.state === from ? to : model.agents.get(agentId)?.state
      expectRows(situation, [{ state, active_jobs: model.heldBy(agentId).length }])
      const agent = model.agents.get(agentId)
      if (agent?.state !== from) return
      model.changeAgent(agentId, { state: to })
      const others = [...model.suspendedNames].filter((name) => name !== agent.name)
      model.suspendedNames = new Set(to === 'suspended' ? [...others, agent.name] : others)
    },
  })
}

export const suspendAgent = changeAgent('suspend_agent', 'active', 'suspended')
export const resumeAgent = changeAgent('resume_agent', 'suspended', 'active')

export function endAgent(agentId: string): VerbCall {
  return {
    verb: 'end_agent',
    parameters: '$1',
    values: [agentId],
    shown: agentId,
    rule: (situation) => {
      const { model } = situation
      if (isRefusedAsLocks(situation, agentId) || isBeaten(situation)) return
      const state = model.agents.get(agentId)?.state ?? 'gone'
      const jobs = state === 'gone' ? [] : model.heldBy(agentId)
      expectRows(situation, [{ jobs_returned: jobs.length }])
      if (state === 'gone') return
      for (const { id } of jobs) putBack(model, id, { attempts: -1 })
      model.changeAgent(agentId, { state: 'gone', endedAt: situation.at, endReason: 'stopped' })
    },
  }
}

export function sweepAgent(agentId: string): VerbCall {
  return {
    verb: 'sweep_agent',
    parameters: '$1',
    values: [agentId],
    shown: agentId,
    rule: (situation) => {
      const { model, at } = situation
      if (isRefusedAsLocks(situation, agentId) || isBeaten(situation)) return
      const reason = whyLost(model, agentId, at)
      const jobs = reason === null ? [] : model.heldBy(agentId)
      expectRows(situation, [{ jobs_returned: jobs.length, reason }])
      if (reason === null) return
      for (const job of jobs) {
        const wait = job.attempt > 1 ? retryWait(job) : 0
        if (job.askedToStopAt === null && job.attempt >= job.maxAttempts) model.move(job.id, 'failed')
        else if (job.askedToStopAt === null && wait > 0) model.move(job.id, 'scheduled', { runAt: at + wait })
        else putBack(model, job.id)
      }
      model.changeAgent(agentId, { state: 'gone', endedAt: at, endReason: reason })
    },
  }
}

function whyLost(model: Model, agentId: string, at: number): string | null {
  const agent = model.agents.get(agentId)
  if (agent === undefined || agent.state === 'gone') return null
  if (agent.endReason === 'superseded') return agent.leaseUntil < at - 3 ? 'superseded by a new incarnation' : null
  return agent.endReason === null && agent.leaseUntil < at ? 'its lease ended' : null
}

/** Manual locks are held in the name of no process: what a process does is not for it. */
function isRefusedAsLocks(situation: Situation, agentId: string): boolean {
  if (agentId !== locksAgent) return false
  expectRefusal(situation, 'IL008')
  return true
}

export function isRefusedAsAgent(situation: Situation, agentId: string): boolean {
  if (situation.model.isAlive(agentId, situation.at)) return false
  expectRefusal(situation, 'IL004')
  return true
}

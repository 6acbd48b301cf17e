// The reference model: who holds what, which jobs are in which state, every token that was ever given. Plain values in
// memory, changed by the rules of the verbs (holder-rules.ts, job-rules.ts, ...) and by nothing that SQL has computed,
// but for the choices that are a claim's own: which jobs it starts.

import { byResourceOrder, demandOf, limitOf, ratesOf } from '../property/demand.ts'
import type { LimitSeen } from '../property/observation.ts'
import type { AgentRow, DependencyRow, JobRow, Observed, RequestRow, ScheduleRow } from './observation.ts'

export type ModelJob = JobRow
export type ModelAgent = Omit<AgentRow, 'active'>

export interface Claim {
  readonly job: string
  readonly token: number
}

/** A start that counts in a rate until a minute has passed, whatever becomes of its job. */
export interface RatedStart {
  readonly rate: string
  readonly token: number
  readonly until: number
}

/** In its name manual locks are held; it is no process. */
export const locksAgent = 'locks.0'
export const isLock = ({ queue }: Pick<ModelJob, 'queue'>): boolean => queue === 'locks'

export class Model {
  jobs: Map<string, ModelJob>
  agents: Map<string, ModelAgent>
  dependencies: Map<string, DependencyRow>
  schedules: Map<string, ScheduleRow>
  requests: Map<string, RequestRow>
  /** By job, how it ended: once for good, and once each time that it failed. */
  ended: Map<string, readonly string[]>
  limits: readonly LimitSeen[]
  pausedQueues: ReadonlySet<string>
  /** By resource, the highest fence that was ever given. */
  fences: Map<string, number>
  /** Every claim that was ever given, in the order of its giving. */
  given: readonly Claim[]
  incarnations: number
  /** By id, the owner of every manual lock that ever was. */
  lockOwners: Map<string, string | null>
  starts: readonly RatedStart[]
  /** Names of agents whose next incarnation is suspended, too. */
  suspendedNames: ReadonlySet<string>

  /** The model of what is there now. */
  constructor({ jobs, agents, dependencies, schedules, requests, ended, seen, fences }: Observed) {
    this.jobs = new Map(jobs.map((job) => [job.id, job]))
    this.agents = new Map(agents.map(({ active: _, ...agent }) => [agent.id, agent]))
    this.dependencies = new Map(dependencies.map((dependency) => [dependency.id, dependency]))
    this.schedules = new Map(schedules.map((schedule) => [schedule.id, schedule]))
    this.requests = new Map(requests.map((request) => [request.id, request]))
    this.ended = new Map(Object.entries(ended))
    this.limits = seen.limits
    this.pausedQueues = new Set(seen.pausedQueues)
    this.fences = new Map()
    for (const [slot, [fence]] of Object.entries(fences)) this.noteFence(slot.slice(0, slot.lastIndexOf(' ')), fence)
    this.given = jobs.flatMap(({ id, token }) => (token === null ? [] : [{ job: id, token }]))
    this.suspendedNames = new Set(agents.flatMap(({ name, state }) => (state === 'suspended' ? [name] : [])))
    this.incarnations = Math.max(0, ...agents.map(({ id }) => incarnationOf(id)))
    this.lockOwners = new Map(jobs.filter(isLock).map(({ id, user }) => [id, user]))
    this.starts = seen.slots.flatMap(({ resource, slot, takenUntil }) =>
      takenUntil === null
        ? []
        : [{ rate: resource, token: fences[`${resource} ${slot}`]?.[0] ?? 0, until: takenUntil }],
    )
  }

  clone(): Model {
    const copy: Model = Object.create(Model.prototype)
    return Object.assign(copy, this, {
      jobs: new Map(this.jobs),
      agents: new Map(this.agents),
      dependencies: new Map(this.dependencies),
      schedules: new Map(this.schedules),
      requests: new Map(this.requests),
      ended: new Map(this.ended),
      fences: new Map(this.fences),
      lockOwners: new Map(this.lockOwners),
    })
  }

  held(): ModelJob[] {
    return [...this.jobs.values()].filter(({ held }) => held !== null)
  }

  heldBy(agentId: string): ModelJob[] {
    return this.held().filter(({ agent }) => agent === agentId)
  }

  /** Claims that were given and are over. */
  lapsed(): Claim[] {
    return this.given.filter(({ job, token }) => this.claimOf(job, token) !== 'current')
  }

  claimOf(id: string, token: number): 'current' | 'stale_token' | 'job_not_found' {
    const job = this.jobs.get(id)
    if (job !== undefined && job.held !== null && job.token === token) return 'current'
    return job !== undefined || this.ended.has(id) ? 'stale_token' : 'job_not_found'
  }

  demandOf(job: Pick<ModelJob, 'queue' | 'task' | 'resources'>): readonly string[] {
    return demandOf(this.limits, job)
  }

  ratesOf(job: Pick<ModelJob, 'queue' | 'task' | 'resources'>): readonly string[] {
    return ratesOf(this.limits, job)
  }

  /** The starts that count in a rate at this time. */
  startsOf(rate: string, at: number): readonly RatedStart[] {
    return this.starts.filter((start) => start.rate === rate && start.until > at)
  }

  noteStart(rate: string, token: number, at: number): void {
    this.starts = [...this.starts.filter(({ until }) => until > at - 600), { rate, token, until: at + 60 }]
  }

  /** What a job needs, but for what it has given back until it is answered. */
  dueTo(job: ModelJob): readonly string[] {
    const lent = [...this.requests.values()].find(
      ({ job: id, token, givenBack, isResumed }) =>
        id === job.id && token === job.token && givenBack !== null && !isResumed,
    )
    const [first] = lent?.givenBack ?? []
    return this.demandOf(job).filter((name) => first === undefined || byResourceOrder(name, first) < 0)
  }

  capacityOf(resource: string): { capacity: number; paused: boolean } {
    return limitOf(this.limits, resource)
  }

  holdersOf(resource: string): readonly string[] {
    return this.held().flatMap(({ id, held }) => (held?.includes(resource) === true ? [id] : []))
  }

  noteFence(resource: string, fence: number): void {
    this.fences.set(resource, Math.max(this.fences.get(resource) ?? 0, fence))
  }

  change(id: string, changed: Partial<ModelJob>): void {
    const job = this.jobs.get(id)
    if (job === undefined) throw new Error(`the model has no job ${id}`)
    this.jobs.set(id, { ...job, ...changed })
  }

  /** A job that holds nothing any more goes to another live state. */
  move(id: string, status: string, { runAt, attempts = 0 }: { runAt?: number; attempts?: number } = {}): void {
    const job = this.jobs.get(id)
    if (job === undefined) throw new Error(`the model has no job ${id}`)
    const attempt = Math.max(job.attempt + attempts, 0)
    this.change(id, {
      status,
      attempt,
      held: null,
      askedToStopAt: null,
      runAt: runAt ?? job.runAt,
      // What has been started once expires no more.
      expiresAt: status !== 'failed' && job.attempt + attempts <= 0 ? job.expiresAt : null,
    })
    if (status === 'failed') remember(this.ended, id, 'failed')
  }

  end(id: string, outcome: string): void {
    this.jobs.delete(id)
    remember(this.ended, id, outcome)
  }

  changeAgent(id: string, changed: Partial<ModelAgent>): void {
    const agent = this.agents.get(id)
    if (agent === undefined) throw new Error(`the model has no agent ${id}`)
    this.agents.set(id, { ...agent, ...changed })
  }

  /** Whether a verb of the agent's own is let through at this time. */
  isAlive(id: string, at: number): boolean {
    const agent = this.agents.get(id)
    return agent !== undefined && agent.state !== 'gone' && agent.leaseUntil > at
  }
}

function remember(ended: Map<string, readonly string[]>, id: string, outcome: string): void {
  ended.set(id, [...(ended.get(id) ?? []), outcome].toSorted())
}

export function incarnationOf(agentId: string): number {
  return Number(agentId.slice(agentId.lastIndexOf('.') + 1))
}

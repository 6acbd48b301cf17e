// The reference model: who holds what, which jobs are in which state, every token that was ever given. Plain values in
// memory, changed by the rules of the verbs (holder-rules.ts, job-rules.ts, ...) and by nothing that SQL has computed,
// but for the choices that are a claim's own: which jobs it starts.

import { demandOf, limitOf, Violated } from '../property/checks.ts'
import type { LimitSeen } from '../property/observation.ts'
import type { AgentRow, JobRow, Observed } from './observation.ts'

export type ModelJob = JobRow
export type ModelAgent = Omit<AgentRow, 'active'>

export interface Claim {
  readonly job: string
  readonly token: number
}

export class Model {
  jobs: Map<string, ModelJob>
  agents: Map<string, ModelAgent>
  /** By job, how it ended: once for good, and once each time that it failed. */
  ended: Map<string, readonly string[]>
  limits: readonly LimitSeen[]
  pausedQueues: ReadonlySet<string>
  /** By resource, the highest fence that was ever given. */
  fences: Map<string, number>
  /** Every claim that was ever given, in the order of its giving. */
  given: readonly Claim[]
  incarnations: number

  /** The model of what is there now. */
  constructor({ jobs, agents, ended, seen, fences }: Observed) {
    this.jobs = new Map(jobs.map((job) => [job.id, job]))
    this.agents = new Map(agents.map(({ active: _, ...agent }) => [agent.id, agent]))
    this.ended = new Map(Object.entries(ended))
    this.limits = seen.limits
    this.pausedQueues = new Set(seen.pausedQueues)
    this.fences = new Map()
    for (const [slot, [fence]] of Object.entries(fences)) this.noteFence(slot.slice(0, slot.lastIndexOf(' ')), fence)
    this.given = jobs.flatMap(({ id, token }) => (token === null ? [] : [{ job: id, token }]))
    this.incarnations = Math.max(0, ...agents.map(({ id }) => incarnationOf(id)))
  }

  clone(): Model {
    const copy: Model = Object.create(Model.prototype)
    return Object.assign(copy, this, {
      jobs: new Map(this.jobs),
      agents: new Map(this.agents),
      ended: new Map(this.ended),
      fences: new Map(this.fences),
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
      isAskedToStop: false,
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

  /** Where the tables say something else; empty: nowhere. */
  differences(observed: Observed): string[] {
    const agents = [...this.agents.values()].map((agent) => ({ ...agent, active: this.heldBy(agent.id).length }))
    return [
      ...differing('job', [...this.jobs.values()], observed.jobs),
      ...differing('agent', agents, observed.agents),
      ...differing('limit', this.limits.map(named), observed.seen.limits.map(named)),
      ...differing(
        'the end of job',
        [...this.ended].map(([id, outcomes]) => ({ id, outcomes })),
        Object.entries(observed.ended).map(([id, outcomes]) => ({ id, outcomes })),
      ),
      ...differing('the pause of queue', [...this.pausedQueues].map(byId), observed.seen.pausedQueues.map(byId)),
    ]
  }

  /** No resource has more holders than its capacity, unless they were there when it was lowered; fences agree with tokens. */
  checkSlots(observed: Observed): void {
    const slots = new Map<string, string[]>()
    for (const { resource, job } of observed.seen.slots) {
      if (job !== null) slots.set(resource, [...(slots.get(resource) ?? []), job])
    }
    const resources = new Set([...slots.keys(), ...this.held().flatMap(({ held }) => held ?? [])])
    for (const resource of resources) {
      const expected = this.holdersOf(resource).toSorted().join(' ')
      const actual = (slots.get(resource) ?? []).toSorted().join(' ')
      if (expected !== actual)
        throw new Violated(
          'the slots disagree with the model',
          `${resource} is held by ${actual}, should be ${expected}`,
        )
    }
    for (const [slot, [fence, job]] of Object.entries(observed.fences)) {
      const token = job === null ? null : this.jobs.get(job)?.token
      if (job !== null && token !== fence)
        throw new Violated('a fence is not its token', `${slot}: fence ${fence}, token ${token} of ${job}`)
    }
  }
}

function remember(ended: Map<string, readonly string[]>, id: string, outcome: string): void {
  ended.set(id, [...(ended.get(id) ?? []), outcome].toSorted())
}

export function incarnationOf(agentId: string): number {
  return Number(agentId.slice(agentId.lastIndexOf('.') + 1))
}

const byId = (id: string) => ({ id })
const named = ({ pattern, capacity, paused }: LimitSeen) => ({ id: pattern, capacity, paused })

function differing<Row extends { readonly id: string }>(
  what: string,
  expected: readonly Row[],
  actual: readonly Row[],
): string[] {
  const rows = new Map(actual.map((row) => [row.id, row]))
  const differences = expected.flatMap((row) => {
    const other = rows.get(row.id)
    rows.delete(row.id)
    return other === undefined ? [`${what} ${row.id} is missing`] : unequalFields(`${what} ${row.id}`, row, other)
  })
  return [...differences, ...[...rows.keys()].map((id) => `${what} ${id} should not be there`)]
}

function unequalFields(what: string, expected: object, actual: object): string[] {
  const others = new Map<string, unknown>(Object.entries(actual))
  return Object.entries(expected).flatMap(([field, value]) => {
    const [wanted, found] = [JSON.stringify(value), JSON.stringify(others.get(field))]
    return wanted === found ? [] : [`${what}: ${field} is ${found}, should be ${wanted}`]
  })
}

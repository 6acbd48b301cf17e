// The rules, computed from what was observed and not by the SQL under test. Each check throws a Violated.

import { byResourceOrder, demandOf, isRate, limitOf, needsOf } from './demand.ts'
import type { AgentSeen, JobSeen, LaneSeen, Observation, SlotSeen } from './observation.ts'

export class Violated extends Error {
  /** The name of the check, equal for every way to fail it. */
  readonly check: string
  /** The step of the history at which it was seen. */
  step: number | null = null

  constructor(check: string, detail: string) {
    super(`${check}: ${detail}`)
    this.check = check
  }
}

/** An observation with what the checks ask of it again and again. */
export class Scene {
  readonly seen: Observation
  readonly #lanes: ReadonlyMap<string, LaneSeen>
  readonly #demands = new Map<string, readonly string[]>()

  constructor(seen: Observation) {
    this.seen = seen
    this.#lanes = new Map(seen.lanes.map((lane) => [lane.id, lane]))
  }

  lane(id: string): LaneSeen | undefined {
    return this.#lanes.get(id)
  }

  demand(lane: LaneSeen): readonly string[] {
    const known = this.#demands.get(lane.id)
    if (known !== undefined) return known
    const demand = needsOf(this.seen.limits, { ...lane, queue: lane.route.split('/')[0] ?? '' })
    this.#demands.set(lane.id, demand)
    return demand
  }

  /** Those that are not free now. */
  slotsOf(resource: string): readonly SlotSeen[] {
    return this.taken().filter((slot) => slot.resource === resource)
  }

  taken(): readonly SlotSeen[] {
    return this.seen.slots.filter(
      ({ job, lane, takenUntil }) => job !== null || lane !== null || (takenUntil ?? 0) > this.seen.now,
    )
  }

  /** Those that are held or reserved: at rest there are none. */
  kept(): readonly SlotSeen[] {
    return this.seen.slots.filter(({ job, lane }) => job !== null || lane !== null)
  }

  limit(resource: string): { capacity: number; paused: boolean } {
    return limitOf(this.seen.limits, resource)
  }

  /** Whether a job may start on it now: it is neither paused nor switched off. */
  isOpen(resource: string): boolean {
    const { capacity, paused } = this.limit(resource)
    return !paused && capacity > 0
  }

  isSenior(a: LaneSeen, b: LaneSeen): boolean {
    return a.rank !== null && b.rank !== null && (a.rank < b.rank || (a.rank === b.rank && a.id < b.id))
  }

  isUsable(resource: string, lane: LaneSeen): boolean {
    const { capacity, paused } = this.limit(resource)
    if (paused) return false
    const slots = this.slotsOf(resource)
    if (slots.some((slot) => slot.lane === lane.id)) return true
    const before = this.seen.lanes.filter(
      (other) =>
        other.reserving &&
        this.isSenior(other, lane) &&
        (other.blockedOn === resource ||
          (other.blockedOn === null &&
            this.demand(other).includes(resource) &&
            !slots.some((slot) => slot.lane === other.id))),
    )
    return capacity - slots.length > before.length
  }

  /** Routes that an agent with room serves, of queues that are not paused. */
  servedRoutes(): ReadonlySet<string> {
    const hasRoom = ({ state, active, slots, leaseUntil }: AgentSeen) =>
      state === 'active' && active < slots && leaseUntil > this.seen.now
    return new Set(
      this.seen.agents
        .filter(hasRoom)
        .flatMap(({ routes }) => routes)
        .filter((route) => !this.seen.pausedQueues.includes(route.split('/')[0] ?? '')),
    )
  }
}

/** The auditor's view agrees. */
export function checkAuditor({ seen: { violations } }: Scene): void {
  if (violations.length === 0) return
  const detail = violations.map((row) => JSON.stringify(row)).join('\n')
  throw new Violated(`the auditor finds that ${violations[0]?.violation}`, detail)
}

/**
 * No lane is left parked on what it could use: a lane of its route is awake that needs the same and will pass it on, or
 * a reserving one that goes first.
 */
export function checkParked(scene: Scene): void {
  const awake = scene.seen.lanes.filter(({ rank, blockedOn }) => rank !== null && blockedOn === null)
  for (const lane of scene.seen.lanes) {
    const { blockedOn } = lane
    // A start rate comes free by the passing of time, and the tick wakes it.
    if (blockedOn === null || isRate(blockedOn) || !scene.isUsable(blockedOn, lane)) continue
    const isPassedOn = awake.some(
      (other) => (other.route === lane.route || other.reserving) && scene.demand(other).includes(blockedOn),
    )
    if (!isPassedOn) throw new Violated('parked on what it could use', `${lane.id} on ${blockedOn}`)
  }
}

/** How many jobs run that need it: held or not, by slots or by their own naming. */
function runningThatNeed(scene: Scene): Map<string, JobSeen[]> {
  const needed = new Map<string, JobSeen[]>()
  for (const job of scene.seen.jobs) {
    if (!job.isHeld) continue
    for (const resource of demandOf(scene.seen.limits, job)) {
      if (job.lentFrom !== null && byResourceOrder(resource, job.lentFrom) >= 0) continue
      needed.set(resource, [...(needed.get(resource) ?? []), job])
    }
  }
  return needed
}

/** Never more holders than capacity; after a limit was lowered, no new ones. */
export function checkSafety(before: Scene | null, after: Scene): void {
  const running = runningThatNeed(after)
  const ran = before === null ? new Map<string, JobSeen[]>() : runningThatNeed(before)
  const isSameLimit = before !== null && JSON.stringify(before.seen.limits) === JSON.stringify(after.seen.limits)
  for (const [resource, jobs] of running) {
    const { capacity } = after.limit(resource)
    if (jobs.length <= capacity || !isSameLimit || jobs.length <= (ran.get(resource)?.length ?? 0)) continue
    throw new Violated(
      'more holders than capacity',
      `${resource} is used by ${jobs.map(({ id }) => id).join(', ')}, capacity ${capacity}`,
    )
  }
  const slots = new Set(after.seen.slots.map(({ resource, slot }) => `${resource} ${slot}`))
  if (slots.size !== after.seen.slots.length) throw new Violated('a slot is there twice', [...slots].join(', '))
}

/** Once every served route was claimed dry, no job waits while all that it needs can be used. */
export function checkWorkConserving(scene: Scene): void {
  const served = scene.servedRoutes()
  for (const job of scene.seen.jobs) {
    if (job.status !== 'pending' || !served.has(job.route)) continue
    const lane = scene.lane(job.lane)
    if (lane === undefined || lane.rank === null)
      throw new Violated('a job was forgotten', `${job.id} waits in no lane`)
    if (lane.blockedOn !== null && isRate(lane.blockedOn)) continue
    const needed = scene.demand(lane)
    if (needed.every((resource) => scene.isUsable(resource, lane))) {
      throw new Violated(
        'not work-conserving',
        `${job.id} waits for ${lane.blockedOn ?? 'nothing'}, and could use ${needed.join(', ') || 'nothing'}`,
      )
    }
  }
}

/** Once dry, what a reservation waits for ends at a running job, or at a minute that passes; none is kept for who cannot come. */
export function checkReservations(scene: Scene): void {
  const served = scene.servedRoutes()
  for (const slot of scene.seen.slots) {
    if (slot.lane === null) continue
    const owner = scene.lane(slot.lane)
    if (owner === undefined || !owner.reserving || owner.rank === null)
      throw new Violated('a reservation without a reserver', `${slot.resource} is kept for ${slot.lane}`)
    if (!scene.seen.jobs.some(({ lane, status }) => lane === owner.id && status === 'pending'))
      throw new Violated('reserved for nobody', `${slot.resource} is kept for ${owner.id}, which is empty`)
    if (!served.has(owner.route))
      throw new Violated('reserved for an absent agent', `${slot.resource} is kept for ${owner.id}`)
    const closed = scene.demand(owner).find((resource) => !scene.isOpen(resource))
    if (closed !== undefined)
      throw new Violated('reserved for a job that cannot start', `${slot.resource} is kept, ${closed} is closed`)
    if (!endsAtRunning(scene, owner, new Set()))
      throw new Violated('a chain of reservations ends nowhere', `${slot.resource} is kept for ${owner.id}`)
  }
}

function endsAtRunning(scene: Scene, lane: LaneSeen, passed: Set<string>): boolean {
  const { blockedOn } = lane
  if (blockedOn === null || passed.has(lane.id)) return false
  passed.add(lane.id)
  if (isRate(blockedOn)) return true
  const slots = scene.slotsOf(blockedOn)
  if (slots.some(({ job }) => job !== null)) return true
  const owners = slots.flatMap((slot) => (slot.lane === null ? [] : [scene.lane(slot.lane)]))
  const seniors = scene.seen.lanes.filter(
    (other) => other !== lane && other.reserving && other.blockedOn === blockedOn && scene.isSenior(other, lane),
  )
  return [...owners, ...seniors].some((next) => next !== undefined && endsAtRunning(scene, next, passed))
}

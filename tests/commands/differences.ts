// Where the tables are not what the model says.

import { Violated } from '../property/checks.ts'
import type { LimitSeen } from '../property/observation.ts'
import type { Model, RatedStart } from './model.ts'
import type { Observed } from './observation.ts'

/** Where the tables say something else; empty: nowhere. */
export function differences(model: Model, observed: Observed): string[] {
  const agents = [...model.agents.values()].map((agent) => ({ ...agent, active: model.heldBy(agent.id).length }))
  return [
    ...differing('job', [...model.jobs.values()], observed.jobs),
    ...differing('agent', agents, observed.agents),
    ...differing('the dependency of', [...model.dependencies.values()], observed.dependencies),
    ...differing('schedule', [...model.schedules.values()], observed.schedules),
    ...differing('request', [...model.requests.values()], observed.requests),
    ...differing('start', startsOf(model.starts, observed), startsOf(observedStarts(observed), observed)),
    ...differing('limit', model.limits.map(named), observed.seen.limits.map(named)),
    ...differing(
      'the end of job',
      [...model.ended].map(([id, outcomes]) => ({ id, outcomes })),
      Object.entries(observed.ended).map(([id, outcomes]) => ({ id, outcomes })),
    ),
    ...differing('the pause of queue', [...model.pausedQueues].map(byId), observed.seen.pausedQueues.map(byId)),
  ]
}

/** No resource has more holders than its capacity, unless they were there when it was lowered; fences agree with tokens. */
export function checkSlots(model: Model, observed: Observed): void {
  const slots = new Map<string, string[]>()
  for (const { resource, job } of observed.seen.slots) {
    if (job !== null) slots.set(resource, [...(slots.get(resource) ?? []), job])
  }
  const resources = new Set([...slots.keys(), ...model.held().flatMap(({ held }) => held ?? [])])
  for (const resource of resources) {
    const expected = model.holdersOf(resource).toSorted().join(' ')
    const actual = (slots.get(resource) ?? []).toSorted().join(' ')
    if (expected !== actual)
      throw new Violated('the slots disagree with the model', `${resource} is held by ${actual}, should be ${expected}`)
  }
  for (const [slot, [fence, job]] of Object.entries(observed.fences)) {
    const token = job === null ? null : model.jobs.get(job)?.token
    const isHandedOver = [...model.requests.values()].some((request) => request.job === job && request.fence === fence)
    if (job !== null && token !== fence && !isHandedOver)
      throw new Violated('a fence is not its token', `${slot}: fence ${fence}, token ${token} of ${job}`)
  }
}

const observedStarts = ({ seen, fences }: Observed): RatedStart[] =>
  seen.slots.flatMap(({ resource, slot, takenUntil }) =>
    takenUntil === null ? [] : [{ rate: resource, token: fences[`${resource} ${slot}`]?.[0] ?? 0, until: takenUntil }],
  )

/** Those that still count. */
const startsOf = (starts: readonly RatedStart[], { seen: { now } }: Observed) =>
  starts.flatMap(({ rate, token, until }) => (until > now ? [{ id: `${rate} #${token}`, until }] : []))

const byId = (id: string) => ({ id })
const named = ({ pattern, ...limit }: LimitSeen) => ({ id: pattern, ...limit })

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

// What a job needs, and how much there is of it: the rules of limits, computed from what was observed.

import type { LimitSeen } from './observation.ts'

const kindOrder: Readonly<Record<string, number>> = { user: 0, model: 2, limit: 3, queue: 3, task: 3, rate: 4 }

export interface Needing {
  readonly queue: string
  readonly task: string
  readonly resources: readonly string[]
}

export function byResourceOrder(a: string, b: string): number {
  const order = (name: string) => kindOrder[name.slice(0, name.indexOf(':'))] ?? 1
  return order(a) - order(b) || (a < b ? -1 : a > b ? 1 : 0)
}

/** Whether this is the start rate of a resource: it is not held, its slots come free a minute after the start. */
export const isRate = (resource: string): boolean => resource.startsWith('rate:')

export const isMeantBy = (pattern: string, resource: string): boolean =>
  pattern.endsWith('*') ? resource.startsWith(pattern.slice(0, -1)) : pattern === resource

/** The row that sets capacity and rate: the exact name's unless it is there for a pause alone, else the longest prefix's. */
function settingOf(limits: readonly LimitSeen[], resource: string): LimitSeen | undefined {
  const exact = limits.find(({ pattern, isPauseOnly }) => pattern === resource && !isPauseOnly)
  const [prefix] = limits
    .filter(({ pattern }) => pattern.endsWith('*') && isMeantBy(pattern, resource))
    .sort((a, b) => b.pattern.length - a.pattern.length)
  return exact ?? prefix
}

/** The limit that applies; 1 without any. Of a start rate: how many starts within a minute. */
export function limitOf(limits: readonly LimitSeen[], resource: string): { capacity: number; paused: boolean } {
  if (isRate(resource)) {
    const row = settingOf(limits, resource.slice('rate:'.length))
    return { capacity: row?.startsPerMinute ?? Number.POSITIVE_INFINITY, paused: false }
  }
  const row = settingOf(limits, resource)
  return {
    capacity: row === undefined ? 1 : (row.capacity ?? Number.POSITIVE_INFINITY),
    paused: limits.find(({ pattern }) => pattern === resource)?.paused ?? false,
  }
}

function named(limits: readonly LimitSeen[], { queue, task, resources }: Needing): string[] {
  // A manual lock is no work, and does not count as some.
  const general = queue === 'locks' ? [] : ['limit:all']
  const implied = [...general, `queue:${queue}`, `task:${task}`].filter((name) =>
    limits.some(({ pattern }) => isMeantBy(pattern, name)),
  )
  return [...new Set([...resources, ...implied])].sort(byResourceOrder)
}

/** What such a job holds once it is started now, in resource order; what is unlimited left out. */
export function demandOf(limits: readonly LimitSeen[], job: Needing): string[] {
  return named(limits, job).filter((name) => {
    const { capacity, paused } = limitOf(limits, name)
    return paused || capacity !== Number.POSITIVE_INFINITY
  })
}

/** The start rates that its start counts in. */
export function ratesOf(limits: readonly LimitSeen[], job: Needing): string[] {
  return named(limits, job)
    .map((name) => `rate:${name}`)
    .filter((rate) => limitOf(limits, rate).capacity !== Number.POSITIVE_INFINITY)
}

/** All that it waits for, in resource order. */
export function needsOf(limits: readonly LimitSeen[], job: Needing): string[] {
  return [...demandOf(limits, job), ...ratesOf(limits, job)]
}

import { passingViolations } from './checks/auditor.ts'
import type { Recorded } from './history.ts'
import type { TimedEvent } from './log.ts'
import type { Scenario } from './scenario.ts'

/** How much happened in a run, and how fast: a run in which nothing did proves nothing. */
export interface Figures {
  readonly jobs: number
  readonly unknown: number
  readonly starts: number
  /** By kind; those that found nothing to happen to are left out. */
  readonly faults: Readonly<Record<string, number>>
  /** Of jobs whose agent was killed: ms from the kill to the next start of the same job, and nothing else going wrong meanwhile. */
  readonly takeoversMs: Readonly<Record<Scenario['shape']['liveness'], readonly number[]>>
  /** The same where other faults came in between. */
  readonly disturbedTakeovers: number
  /** Of jobs that were taken back while agent and keeper were stopped: how long their processes lived after these woke. */
  readonly outlivedMs: readonly number[]
  readonly permittedOverlaps: number
  readonly looks: number
  readonly passingViolations: number
  /** Of agents, by what they said; and of the ghost. */
  readonly refusedWrites: number
  readonly drainedMs: number | null
}

export interface FigureSources {
  readonly scenario: Scenario
  readonly history: readonly Recorded[]
  readonly log: readonly TimedEvent[]
  readonly permittedOverlaps: number
  readonly looks: number
  readonly refusedWrites: number
  readonly drainedMs: number | null
}

export function figuresOf(sources: FigureSources): Figures {
  const { scenario, history, log, drainedMs, looks, permittedOverlaps, refusedWrites } = sources
  const accepted = new Set<string>()
  const unknown = new Set<string>()
  const faults: Record<string, number> = {}
  for (const event of history) {
    if (event.kind === 'answered' && event.what === 'enqueue') {
      if (event.answer === 'accepted') accepted.add(event.jobId)
      if (event.answer === 'unknown') unknown.add(event.jobId)
    }
    if (event.kind === 'fault') faults[event.fault] = (faults[event.fault] ?? 0) + (event.detail === undefined ? 1 : -1)
  }
  const takeovers = takeoversOf(history, log)
  const undisturbed = takeovers.flatMap(({ ms, isDisturbed }) => (isDisturbed ? [] : [ms]))
  return {
    jobs: accepted.size,
    unknown: unknown.size,
    starts: log.filter(({ type }) => type === 'assigned').length,
    faults,
    takeoversMs: { connection: [], lease: [], [scenario.shape.liveness]: undisturbed },
    disturbedTakeovers: takeovers.length - undisturbed.length,
    outlivedMs: outlived(history, log),
    permittedOverlaps,
    looks,
    passingViolations: passingViolations(history),
    refusedWrites:
      refusedWrites + history.filter((event) => event.kind === 'late' && event.answer === 'refused').length,
    drainedMs,
  }
}

function takeoversOf(history: readonly Recorded[], log: readonly TimedEvent[]): { ms: number; isDisturbed: boolean }[] {
  const faults = history.filter((event) => event.kind === 'fault' && event.detail === undefined)
  return faults.flatMap((kill) => {
    if (kill.kind !== 'fault' || kill.fault !== 'kill agent') return []
    return claimsHeldBy(kill.target, kill.atMs, log).flatMap(({ jobId, token }) => {
      const lost = log.find((event) => event.jobId === jobId && event.token === token && event.type === 'lost')
      const next = log.find((event) => event.jobId === jobId && event.type === 'started' && (event.token ?? 0) > token)
      if (lost === undefined || next === undefined) return []
      const isDisturbed = faults.some(
        (other) => other !== kill && other.atMs > kill.atMs - disturbingMs && other.atMs < next.committedMs,
      )
      return [{ ms: Math.round(next.committedMs - kill.atMs), isDisturbed }]
    })
  })
}

/** What lasts has been over for so long. */
const disturbingMs = 3000

function claimsHeldBy(name: string, atMs: number, log: readonly TimedEvent[]): { jobId: string; token: number }[] {
  const held = new Map<string, number>()
  for (const { type, jobId, from, to, token, agentId, committedMs } of log) {
    if (jobId === null || committedMs > atMs) continue
    if (type === 'assigned' && agentId?.slice(0, agentId.lastIndexOf('.')) === name) held.set(jobId, token ?? 0)
    else if (from !== to && to !== 'running') held.delete(jobId)
  }
  return [...held].map(([jobId, token]) => ({ jobId, token }))
}

const isHeld = (status: string | null) => status === 'assigned' || status === 'running'

function outlived(history: readonly Recorded[], log: readonly TimedEvent[]): number[] {
  return history.flatMap((event) => {
    if (event.kind !== 'outlived' || event.forMs === null) return []
    const { jobId, token, wokenAtMs, forMs } = event
    const isTaken = log.some(
      (line) => line.jobId === jobId && line.token === token && !isHeld(line.to) && line.committedMs <= wokenAtMs,
    )
    return isTaken ? [forMs] : []
  })
}

/** All runs together. */
export function sumOf(runs: readonly Figures[]): Figures {
  const sum = (of: (figures: Figures) => number) => runs.reduce((total, figures) => total + of(figures), 0)
  const faults: Record<string, number> = {}
  for (const run of runs)
    for (const [kind, times] of Object.entries(run.faults)) faults[kind] = (faults[kind] ?? 0) + times
  return {
    jobs: sum(({ jobs }) => jobs),
    unknown: sum(({ unknown }) => unknown),
    starts: sum(({ starts }) => starts),
    faults,
    takeoversMs: {
      connection: runs.flatMap(({ takeoversMs }) => takeoversMs.connection),
      lease: runs.flatMap(({ takeoversMs }) => takeoversMs.lease),
    },
    disturbedTakeovers: sum(({ disturbedTakeovers }) => disturbedTakeovers),
    outlivedMs: runs.flatMap(({ outlivedMs }) => outlivedMs),
    permittedOverlaps: sum(({ permittedOverlaps }) => permittedOverlaps),
    looks: sum(({ looks }) => looks),
    passingViolations: sum(({ passingViolations }) => passingViolations),
    refusedWrites: sum(({ refusedWrites }) => refusedWrites),
    drainedMs: runs.reduce<number | null>(
      (most, { drainedMs }) => (drainedMs === null ? most : Math.max(drainedMs, most ?? 0)),
      null,
    ),
  }
}

/** The value that so great a part of them does not exceed; null of none. */
export function quantile(values: readonly number[], part: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? null
}

/** In words, a line a subject. */
export function linesOf(figures: Figures): readonly string[] {
  const spread = (values: readonly number[]) =>
    values.length === 0
      ? 'none'
      : `${values.length}, p50 ${quantile(values, 0.5)} ms, p95 ${quantile(values, 0.95)} ms, longest ${quantile(values, 1)} ms`
  const faults = Object.entries(figures.faults).sort(([, a], [, b]) => b - a)
  return [
    `${figures.jobs} jobs acknowledged (${figures.unknown} of them, or more, unknown at first), ${figures.starts} starts`,
    `${faults.reduce((sum, [, times]) => sum + times, 0)} faults: ${faults.map(([kind, times]) => `${kind} ${times}`).join(', ')}`,
    `killed agent to its job running again, by connection: ${spread(figures.takeoversMs.connection)}`,
    `killed agent to its job running again, by lease: ${spread(figures.takeoversMs.lease)}; with other faults meanwhile, of both: ${figures.disturbedTakeovers}`,
    `processes of jobs taken back while agent and keeper were stopped, after these woke: ${spread(figures.outlivedMs)}`,
    `${figures.refusedWrites} late writes refused; ${figures.permittedOverlaps} overlaps behind what was stopped, which nobody can prevent`,
    `${figures.looks} looks by the auditor, ${figures.passingViolations} violations in passing; longest drain ${figures.drainedMs} ms`,
  ]
}

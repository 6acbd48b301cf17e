import type { JobFacts, QueueFacts, TimedEvent } from '../log.ts'
import type { Finding } from './finding.ts'
import { type Span, type Step, spansAtLeast, without } from './spans.ts'

/** A commit may be seen by others only so long after its stamp: on a busy machine a process waits for its turn. */
const seenMs = 500
/** So long a lane may be on its way to being looked at: absorbed, woken by a pass-on, contended. */
const onItsWayMs = 3000
const overtakersMin = 3
/** How long a reservation may outlast the wait of the job that it was made for. */
const reservationMs = 3000

export interface OrderQuestion {
  readonly log: readonly TimedEvent[]
  readonly jobs: readonly JobFacts[]
  readonly queues: readonly QueueFacts[]
  /** Jobs whose row may have been locked by somebody unseen: sent more than once, or asked to be cancelled. */
  readonly unsure: ReadonlySet<string>
  /** From when on nothing is in trouble; null: never. */
  readonly calmFromMs: number | null
  /** How many jobs may be held in all while every agent has room for one more. */
  readonly roomyUpTo: number
}

interface Start {
  readonly job: JobFacts
  readonly event: TimedEvent
}

/**
 * Order, from the log alone: what is certain from the times at which verbs began and transactions were committed.
 *
 *   in its lane     no job is started while a more senior one of its lane was pending throughout, as everybody could see
 *   across lanes    once a job is the most senior of all that wait, and all that it needs is free and stays free, it is
 *                   not overtaken by three claims that begin 3 s later or more and are over before its own begins
 *   its bound       in calm, with room at every agent, nobody waits 3 s for what is free
 *
 * Not judged: which of two is started while a more senior third waits, or within these 3 s (claimers skip the lanes that are
 * in each other's hands, and a claim starts the first of each lane before the second of any); what a reservation may have
 * kept from a job, from when somebody who needs several resources has waited beyond the patience; ranks between the
 * seniority of a job and the last start of its user, on which the order of who was served when depends.
 */
export function checkOrder(question: OrderQuestion): readonly Finding[] {
  const { log, jobs } = question
  const facts = new Map(jobs.map((job) => [job.jobId, job]))
  const starts: Start[] = log.flatMap((event) => {
    const job = facts.get(event.jobId ?? '')
    return event.type === 'assigned' && job !== undefined ? [{ job, event }] : []
  })
  const pending = pendingSpans(log)
  return [...laneOrder(question, starts, pending), ...startableOrder(question, starts, pending)]
}

function laneOrder(
  { jobs, unsure }: OrderQuestion,
  starts: readonly Start[],
  pending: ReadonlyMap<string, readonly Span[]>,
): Finding[] {
  const lanes = Map.groupBy(jobs, ({ lane }) => lane)
  return starts.flatMap(({ job, event }) => {
    const passedOver = (lanes.get(job.lane) ?? []).find(
      (other) =>
        isSenior(other, job) &&
        !unsure.has(other.jobId) &&
        (pending.get(other.jobId) ?? []).some((span) => span.fromMs < event.atMs && span.toMs > event.committedMs),
    )
    if (passedOver === undefined) return []
    const what = `${job.jobId} was started (event ${event.id}) before ${passedOver.jobId}, which comes first in its lane`
    return [{ invariant: 'O', what }]
  })
}

function startableOrder(
  question: OrderQuestion,
  starts: readonly Start[],
  pending: ReadonlyMap<string, readonly Span[]>,
): Finding[] {
  const { jobs, calmFromMs } = question
  const busy = busySpans(question, starts)
  const paused = pausedSpans(question.log)
  const reserved = reservedSpans(question, pending)
  const crowded = spansAtLeast(heldSteps(question.log, starts), question.roomyUpTo + 1)
  const lanes = Map.groupBy(jobs, ({ lane }) => lane)
  const perhapsPending = perhapsPendingSpans(question.log)
  const overtakersOf = overtaking(question, starts, perhapsPending)
  const findings: Finding[] = []
  for (const job of jobs) {
    const before = (lanes.get(job.lane) ?? []).filter((other) => other !== job && !isSenior(job, other))
    const taken = [
      ...before.flatMap(({ jobId }) => perhapsPending.get(jobId) ?? []),
      ...job.resources.flatMap((resource) => busy(resource)),
      ...job.resources.flatMap((resource) =>
        (reserved.get(resource) ?? []).flatMap((r) => (r.lane === job.lane ? [] : [r])),
      ),
      ...(paused.get(job.queue) ?? []),
    ]
    for (const span of (pending.get(job.jobId) ?? []).flatMap((wait) => without(wait, taken))) {
      if (span.toMs - span.fromMs <= onItsWayMs) continue
      const { count, names } = overtakersOf(job, span)
      if (count >= overtakersMin)
        findings.push({
          invariant: 'O',
          what: `${job.jobId} was the most senior that waited, could start, and was overtaken by ${count}, the last ${names.join(', ')}`,
        })
      if (calmFromMs === null) continue
      const calm = { fromMs: Math.max(span.fromMs, calmFromMs), toMs: span.toMs }
      const idle = without(calm, crowded).find((part) => part.toMs - part.fromMs > onItsWayMs)
      if (idle !== undefined)
        findings.push({
          invariant: 'O',
          what: `${job.jobId} waited ${lasting(idle)} ms for nothing, with room at every agent`,
        })
    }
  }
  return findings
}

/**
 * How many claims started something junior in the span, after the job had been the most senior of all that waited for a
 * while. (Before that it may be in the hands of a claimer that has only room for who comes before it, again and again.)
 */
function overtaking(
  { jobs, queues }: OrderQuestion,
  starts: readonly Start[],
  perhapsPending: ReadonlyMap<string, readonly Span[]>,
): (job: JobFacts, span: Span) => { readonly count: number; readonly names: readonly string[] } {
  const policies = new Map(queues.map((queue) => [queue.name, queue]))
  const latestRankMs = (job: JobFacts, untilMs: number) => {
    if (policies.get(job.queue)?.scheduling !== 'fair' || job.user === null) return job.seniorityMs
    const served = starts.filter(
      (start) => start.job.user === job.user && start.job.queue === job.queue && start.event.atMs <= untilMs,
    )
    const lastMs = Math.max(...served.map(({ event }) => event.atMs))
    return Math.max(job.seniorityMs, lastMs + (job.seniorityMs - job.queuedAtMs))
  }
  // Who may have reserved has a rank that only ever gets sooner.
  const mayReserve = ({ job, event }: Start) =>
    job.resources.length > 1 &&
    event.committedMs - job.queuedAtMs >= 1000 * (policies.get(job.queue)?.patienceSeconds ?? 0)

  return (job, span) => {
    const rankMs = latestRankMs(job, span.toMs)
    const senior = jobs.filter((other) => other !== job && other.seniorityMs <= rankMs)
    const firstOfAll = without(
      span,
      senior.flatMap(({ jobId }) => perhapsPending.get(jobId) ?? []),
    )
    const overtakers = starts.filter(
      (start) =>
        start.job.seniorityMs > rankMs &&
        !mayReserve(start) &&
        firstOfAll.some(({ fromMs, toMs }) => start.event.atMs > fromMs + onItsWayMs && start.event.committedMs < toMs),
    )
    const claims = new Map(overtakers.map((start) => [start.event.committedMs, start.job.jobId]))
    return { count: claims.size, names: [...claims.values()].slice(-3) }
  }
}

/** From when everybody could see that it is pending until somebody began what made it something else. */
function pendingSpans(log: readonly TimedEvent[]): ReadonlyMap<string, readonly Span[]> {
  const spans = new Map<string, Span[]>()
  const since = new Map<string, number>()
  for (const { jobId, from, to, atMs, committedMs } of log) {
    if (jobId === null || from === to) continue
    const fromMs = since.get(jobId)
    if (from === 'pending' && fromMs !== undefined) {
      if (fromMs < atMs) spans.set(jobId, [...(spans.get(jobId) ?? []), { fromMs, toMs: atMs }])
      since.delete(jobId)
    }
    if (to === 'pending') since.set(jobId, committedMs + seenMs)
  }
  // Who waits at the end of the log does so beyond it.
  const endMs = log.reduce((last, { committedMs }) => Math.max(last, committedMs), 0) + 1
  for (const [jobId, fromMs] of since) {
    if (fromMs < endMs) spans.set(jobId, [...(spans.get(jobId) ?? []), { fromMs, toMs: endMs }])
  }
  return spans
}

/** From when somebody began to make it pending until everybody could see that it is not. */
function perhapsPendingSpans(log: readonly TimedEvent[]): ReadonlyMap<string, readonly Span[]> {
  const spans = new Map<string, Span[]>()
  for (const { jobId, from, to, atMs, committedMs } of log) {
    if (jobId === null || from === to) continue
    const before = spans.get(jobId) ?? []
    const last = before.at(-1)
    if (from === 'pending' && last !== undefined)
      spans.set(jobId, [...before.slice(0, -1), { fromMs: last.fromMs, toMs: committedMs + seenMs }])
    if (to === 'pending') spans.set(jobId, [...before, { fromMs: atMs, toMs: Number.POSITIVE_INFINITY }])
  }
  return spans
}

/** When each claim held what it was given, at the longest. */
function heldSpans(
  log: readonly TimedEvent[],
  starts: readonly Start[],
): readonly (Span & { readonly start: Start })[] {
  const ends = new Map<string, number>()
  for (const { jobId, token, from, to, committedMs } of log) {
    if ((from === 'assigned' || from === 'running') && to !== 'assigned' && to !== 'running')
      ends.set(`${jobId} ${token}`, committedMs + seenMs)
  }
  return starts.map((start) => ({
    start,
    fromMs: start.event.atMs,
    toMs: ends.get(`${start.job.jobId} ${start.event.token}`) ?? Number.POSITIVE_INFINITY,
  }))
}

function heldSteps(log: readonly TimedEvent[], starts: readonly Start[]): Step[] {
  return heldSpans(log, starts).flatMap(stepsOf)
}

const stepsOf = ({ fromMs, toMs }: Span): Step[] => [
  { atMs: fromMs, change: 1 },
  { atMs: toMs, change: -1 },
]

/** When a resource was not surely free: all of its slots held, or its capacity just being changed. */
function busySpans({ log }: OrderQuestion, starts: readonly Start[]): (resource: string) => readonly Span[] {
  const held = new Map<string, Step[]>()
  for (const span of heldSpans(log, starts)) {
    for (const resource of span.start.event.resources ?? [])
      held.set(resource, [...(held.get(resource) ?? []), ...stepsOf(span)])
  }
  const known = new Map<string, readonly Span[]>()
  return (resource) => {
    const found = known.get(resource)
    if (found !== undefined) return found
    const steps = held.get(resource) ?? []
    const spans: Span[] = []
    let capacity: number | null = 1
    let fromMs = Number.NEGATIVE_INFINITY
    const close = (toMs: number) => {
      if (capacity === null) return
      for (const span of spansAtLeast(steps, capacity))
        if (span.toMs > fromMs && span.fromMs < toMs)
          spans.push({ fromMs: Math.max(span.fromMs, fromMs), toMs: Math.min(span.toMs, toMs) })
    }
    for (const { type, details, atMs, committedMs } of log) {
      if (type !== 'limit_set' || details?.pattern !== resource) continue
      close(atMs)
      spans.push({ fromMs: atMs, toMs: committedMs + seenMs })
      fromMs = committedMs + seenMs
      capacity = (details?.capacity ?? null) as number | null
    }
    close(Number.POSITIVE_INFINITY)
    known.set(resource, spans)
    return spans
  }
}

/** When a resource may have been kept for a lane, by the patience of who needs several. */
function reservedSpans(
  { jobs, queues }: OrderQuestion,
  pending: ReadonlyMap<string, readonly Span[]>,
): ReadonlyMap<string, readonly (Span & { readonly lane: string })[]> {
  const spans = new Map<string, (Span & { readonly lane: string })[]>()
  for (const { jobId, queue, lane, resources, queuedAtMs } of jobs) {
    if (resources.length < 2) continue
    const patienceMs = 1000 * (queues.find(({ name }) => name === queue)?.patienceSeconds ?? 0)
    for (const wait of pending.get(jobId) ?? []) {
      const fromMs = Math.max(wait.fromMs - 2 * seenMs, queuedAtMs + patienceMs - seenMs)
      if (fromMs >= wait.toMs) continue
      for (const resource of resources)
        spans.set(resource, [...(spans.get(resource) ?? []), { fromMs, toMs: wait.toMs + reservationMs, lane }])
    }
  }
  return spans
}

function pausedSpans(log: readonly TimedEvent[]): ReadonlyMap<string, readonly Span[]> {
  const spans = new Map<string, Span[]>()
  for (const { type, details, atMs, committedMs } of log) {
    if (type !== 'queue_set' || details?.is_paused === undefined) continue
    const queue = String(details.queue)
    const before = spans.get(queue) ?? []
    // Until the next one, and a while: what a pause made awake, or kept asleep, has to come round again.
    const last = before.at(-1)
    const ended = last === undefined ? [] : [{ fromMs: last.fromMs, toMs: Math.min(last.toMs, committedMs + seenMs) }]
    const toMs = details.is_paused === true ? Number.POSITIVE_INFINITY : committedMs + seenMs
    spans.set(queue, [...before.slice(0, -1), ...ended, { fromMs: atMs, toMs }])
  }
  return spans
}

// To the microsecond, in which the server counts; ties go by id, and are not judged.
const isSenior = (one: JobFacts, other: JobFacts) => other.seniorityMs - one.seniorityMs >= 0.001

const lasting = ({ fromMs, toMs }: Span) => Math.round(toMs - fromMs)

// The companion of a job that gave back resources for a question: it stands in the line of manual locks for them, and hands
// over what it was granted.

import { byResourceOrder } from '../property/demand.ts'
import type { Model, ModelJob } from './model.ts'
import type { RequestRow } from './observation.ts'
import { disagree, expectRefusal, expectRows, isBeaten, type Situation, type VerbCall } from './rule.ts'

export const isLent = ({ givenBack, isResumed }: RequestRow): boolean => givenBack !== null && !isResumed

/** The job, where the claim that asked is not over. */
export const asker = (model: Model, { job, token }: RequestRow): ModelJob | null =>
  model.claimOf(job, token) === 'current' ? (model.jobs.get(job) ?? null) : null

/** Whether there is one depends on whether its job was there yet; who it is, on the numbers that others have drawn. */
export function sendCompanion({ model, before, observed }: Situation, id: string): void {
  const request = model.requests.get(id) as RequestRow
  const companion = observed?.requests.find((seen) => seen.id === id)?.companion
  if (companion === undefined || companion === request.companion) {
    if (observed !== null && asker(model, request) !== null) disagree(`nobody stands in line for ${request.job}`)
    return
  }
  const missing = [before, model].flatMap((seen) => {
    const job = asker(seen, request)
    return job === null ? [] : [[job, seen.demandOf(job).filter((name) => job.held?.includes(name) !== true)] as const]
  })
  const needs = observed?.jobs
    .find((job) => job.id === companion)
    ?.resources.filter((name) => name !== `lock:${companion}`)
  const [job, resources] = missing.find(([, names]) => sorted(names) === sorted(needs ?? [])) ?? missing[0] ?? []
  if (job === undefined || resources === undefined || companion === null)
    disagree(`${companion} stands in line for ${request.job}, which has ended`)
  model.requests.set(id, { ...request, companion })
  model.jobs.set(companion, companionOf(job, companion, resources))
}

const sorted = (names: readonly string[]): string => names.toSorted().join(' ')

function companionOf(job: ModelJob, id: string, resources: readonly string[]): ModelJob {
  return {
    ...job,
    id,
    status: 'pending',
    task: 'lock',
    queue: 'locks',
    level: 'autonomous',
    resources: [...resources, `lock:${id}`].toSorted(byResourceOrder),
    token: null,
    agent: null,
    held: null,
    attempt: 0,
    maxAttempts: 1,
    askedToStopAt: null,
    progress: null,
    runAt: null,
    expiresAt: null,
    startedAt: null,
    timeoutSeconds: 3600,
    retryDelays: null,
    assignedAt: null,
    leaseUntil: null,
    waitSeconds: null,
  }
}

interface Resumption {
  readonly says: 'open' | 'waiting' | 'resumed' | 'over'
  readonly apply?: (situation: Situation) => void
}

/** What there is to be done: null, there is no such request. */
function resumptionOf(model: Model, id: string): Resumption | null {
  const request = model.requests.get(id)
  if (request === undefined) return null
  if (!isLent(request)) return { says: 'resumed' }
  if (request.state === 'open') return { says: 'open' }
  const job = asker(model, request)
  const companion = model.jobs.get(request.companion ?? '')
  if (companion?.held == null && companion !== undefined && job !== null) return { says: 'waiting' }
  const isWhole =
    job !== null &&
    model.demandOf(job).every((name) => job.held?.includes(name) === true || companion?.held?.includes(name) === true)
  const resume = (fence: number | null, { model: now }: Situation) =>
    now.requests.set(id, { ...request, isResumed: true, fence })
  if (companion?.held != null && job !== null && isWhole) {
    const { held, token } = companion
    return {
      says: 'resumed',
      apply: (situation) => {
        situation.model.end(companion.id, 'completed')
        const handed = held.filter((name) => name !== `lock:${companion.id}`)
        situation.model.change(job.id, { held: [...(job.held ?? []), ...handed].toSorted() })
        resume(token, situation)
      },
    }
  }
  return {
    says: job === null ? 'over' : 'waiting',
    apply: (situation) => {
      if (companion !== undefined) situation.model.end(companion.id, 'cancelled')
      if (job === null) resume(null, situation)
      else sendCompanion(situation, id)
    },
  }
}

export function resumeRequest(id: string): VerbCall {
  return {
    verb: 'resume_request',
    parameters: '$1',
    values: [id],
    shown: id,
    rule: (situation) => {
      if (isBeaten(situation)) return
      const { model, before, answer } = situation
      const said = answer.rows[0]?.resume_request
      // Where it has nothing to do it only looks, and locks nothing.
      const [now, then] = [resumptionOf(model, id), resumptionOf(before, id)]
      const seen =
        now?.says !== said && (then?.says ?? null) === (said ?? null) && then?.apply === undefined ? then : now
      if (seen === null) {
        expectRefusal(situation, 'IL001')
        return
      }
      expectRows(situation, [{ resume_request: seen.says }])
      seen.apply?.(situation)
    },
  }
}

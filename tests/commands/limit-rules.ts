// Capacities, start rates and pauses: whoever changes them is alone with the scheduler, and counts what runs.

import { isMeantBy, isRate } from '../property/demand.ts'
import type { LimitSeen } from '../property/observation.ts'
import { behindTheScenes } from './lane-rules.ts'
import type { Model } from './model.ts'
import { disagree, expectRefusal, type Situation, theRow, type VerbCall } from './rule.ts'

export interface LimitOptions {
  readonly isPaused?: boolean
  readonly startsPerMinute?: number | null
}

const isResourceName = (name: string): boolean => /^[a-z]+:[^*]+$/.test(name) && !isRate(name)

export function setLimit(
  pattern: string,
  capacity: number | null,
  { isPaused = false, startsPerMinute = null }: LimitOptions = {},
): VerbCall {
  const rate = startsPerMinute === null ? '' : `, ${startsPerMinute} a minute`
  return {
    verb: 'set_limit',
    parameters: '$1, $2, $3, p_starts_per_minute => $4',
    values: [pattern, capacity, isPaused, startsPerMinute],
    shown: `${pattern}, ${capacity ?? 'unlimited'}${rate}${isPaused ? ', paused' : ''}`,
    rule: (situation) => {
      const isPattern = /^[a-z]+:[^*]*[*]?$/.test(pattern) && !pattern.endsWith(':') && !isRate(pattern)
      if (!isPattern || (isPaused && pattern.endsWith('*')) || (capacity ?? 0) < 0 || (startsPerMinute ?? 1) < 1) {
        expectRefusal(situation, 'IL005')
        return
      }
      theRow(situation)
      change(situation, pattern, { pattern, capacity, paused: isPaused, startsPerMinute, isPauseOnly: false })
    },
  }
}

export function removeLimit(pattern: string): VerbCall {
  return {
    verb: 'remove_limit',
    parameters: '$1',
    values: [pattern],
    shown: pattern,
    rule: (situation) => {
      const isThere = situation.model.limits.some((limit) => limit.pattern === pattern)
      if (theRow(situation).remove_limit !== isThere) disagree(`there was ${isThere ? 'a' : 'no'} limit ${pattern}`)
      if (isThere) change(situation, pattern, null)
    },
  }
}

export function pauseResource(resource: string, isPaused = true): VerbCall {
  return {
    verb: 'pause_resource',
    parameters: '$1, $2',
    values: [resource, isPaused],
    shown: `${resource}${isPaused ? '' : ', no more'}`,
    rule: (situation) => {
      if (!isResourceName(resource)) {
        expectRefusal(situation, 'IL005')
        return
      }
      const row = situation.model.limits.find(({ pattern }) => pattern === resource)
      const changes = isPaused !== (row?.paused ?? false)
      if (theRow(situation).pause_resource !== changes)
        disagree(`${resource} was ${row?.paused === true ? '' : 'not '}paused before`)
      if (!changes) return
      if (isPaused)
        change(situation, resource, {
          ...(row ?? { pattern: resource, capacity: null, startsPerMinute: null, isPauseOnly: true }),
          paused: true,
        })
      else change(situation, resource, row === undefined || row.isPauseOnly ? null : { ...row, paused: false })
    },
  }
}

/** Null: the row goes. */
function change(situation: Situation, pattern: string, limit: LimitSeen | null): void {
  const { model } = situation
  const others = model.limits.filter((other) => other.pattern !== pattern)
  model.limits = limit === null ? others : [...others, limit]
  countWhatRuns(model, pattern)
  countWhatWasStarted(situation, pattern)
}

/** A job that needs what is newly limited holds it from now on, be there room or not. */
function countWhatRuns(model: Model, pattern: string): void {
  for (const job of model.held()) {
    const held = job.held ?? []
    const missing = model
      .dueTo(job)
      .filter(
        (name) =>
          isMeantBy(pattern, name) &&
          !held.includes(name) &&
          model.capacityOf(name).capacity !== Number.POSITIVE_INFINITY,
      )
    if (missing.length > 0) model.change(job.id, { held: [...held, ...missing].toSorted() })
  }
}

/** So do, in a new rate, the starts of the last minute whose jobs still run. */
function countWhatWasStarted({ model, answeredAt }: Situation, pattern: string): void {
  for (const job of model.held()) {
    const { token, assignedAt } = job
    if (token === null || assignedAt === null || assignedAt + 60 <= answeredAt) continue
    for (const rate of model.ratesOf(job)) {
      const isCounted = model.starts.some((start) => start.rate === rate && start.token === token)
      if (isMeantBy(`rate:${pattern}`, rate) && !isCounted) model.noteStart(rate, token, assignedAt)
    }
  }
}

/** Which of them are due depends on who is parked on them; those that are named have to have room. */
export function dueRates(limit = 100): VerbCall {
  return behindTheScenes('due_rates', '$1', [limit], (situation) => {
    const { model, at, answeredAt, isCommit } = situation
    const rates = theRow(situation).due_rates as readonly string[]
    if (rates.length > limit) disagree(`${rates.length} are due, and ${limit} were asked for`)
    if (isCommit) return
    for (const rate of rates) {
      const starts = model.startsOf(rate, Math.max(at, answeredAt)).length
      if (!isRate(rate) || starts >= model.capacityOf(rate).capacity)
        disagree(`${rate} has ${starts} starts, and is not due`)
    }
  })
}

export const wakeRate = (rate: string): VerbCall => behindTheScenes('wake_rate', '$1', [rate])

// The verbs that end what is held from outside: they look at who holds it first, and take it from those who still do then.

import { isRate } from '../property/demand.ts'
import { askToStop } from './job-rules.ts'
import { isLock, type Model, type ModelJob } from './model.ts'
import { disagree, expectRefusal, type Row, type Situation, theRow, type VerbCall } from './rule.ts'

/** Who was looked at is who held it when the call began, or now. */
function expectLooked(situation: Situation, expected: (model: Model) => readonly Row[]): void {
  const { model, before, answer, isCommit } = situation
  if (answer.state !== null) theRow(situation)
  if (isCommit) return
  const seen = [before, model].map((each) => JSON.stringify(expected(each)))
  const fields = Object.keys(expected(before)[0] ?? expected(model)[0] ?? {})
  const said = JSON.stringify(answer.rows.map((row) => Object.fromEntries(fields.map((field) => [field, row[field]]))))
  if (!seen.includes(said)) disagree(`${[...new Set(seen)].join(' or ')} had to come, and ${said} did`)
}

/** Whether a claim that was looked at is still the one. */
const isStill = ({ model, before }: Situation, id: string): boolean => {
  const job = model.jobs.get(id)
  const token = before.jobs.get(id)?.token ?? null
  return job !== undefined && job.held !== null && (token === null || token === job.token)
}

/** Of everybody who holds it, or of one of them alone. */
export function releaseResource(resource: string, of: string | null): VerbCall {
  const isRight = /^[a-z]+:[^*]+$/.test(resource) && !isRate(resource)
  const holders = (model: Model): Row[] =>
    model
      .held()
      .filter(({ id, held }) => held?.includes(resource) === true && (of === null || of === id))
      .toSorted((a, b) => Number(isLock(b)) - Number(isLock(a)) || (a.id < b.id ? -1 : 1))
      .map((job) => ({ job_id: job.id, kind: isLock(job) ? 'lock' : 'job' }))
  return {
    verb: 'release_resource',
    parameters: '$1, $2',
    values: [resource, of],
    shown: `${resource}${of === null ? '' : ` of ${of}`}`,
    rule: (situation) => {
      const { model, before, answer, isAlone } = situation
      if (!isRight) {
        expectRefusal(situation, 'IL005')
        return
      }
      if (answer.state === 'IL009' || (isAlone && holders(model).length === 0)) {
        expectRefusal(situation, 'IL009')
        if (holders(before).length > 0 && holders(model).length > 0) disagree('it is held')
        return
      }
      expectLooked(situation, holders)
      for (const row of answer.rows) endHolder(situation, row)
    },
  }
}

function endHolder(situation: Situation, row: Row): void {
  const { model, isAlone, isCommit } = situation
  const id = String(row.job_id)
  const job = model.jobs.get(id)
  const isFree = job === undefined || job.held === null
  if (row.kind === 'lock') {
    if (row.status !== 'released') disagree(`lock ${id} is ${row.status}`)
    if (isStill(situation, id)) model.end(id, 'cancelled')
  } else if (row.status === 'cancelling') {
    if (job === undefined || isFree) disagree(`${id} holds nothing, and was asked to stop`)
    if (job.askedToStopAt === null) askToStop({ model, at: askedAt(situation, id) }, job)
  } else if (isAlone && !isCommit) disagree(`${id} is ${row.status}, and nobody else was there`)
  else if (row.status === 'cancelled') {
    if (job === undefined || !isFree) disagree(`${id} does not wait, and was cancelled`)
    model.end(id, 'cancelled')
  } else if (job !== undefined && job.status !== 'failed' && !isCommit) disagree(`${id} has not ended by itself`)
}

/** One after the other, waiting for each: it says when. */
function askedAt({ at, answeredAt, observed }: Situation, id: string): number {
  const told = observed?.jobs.find((job) => job.id === id)?.askedToStopAt ?? at
  return told >= at && told <= answeredAt ? told : at
}

export function sweepLocks(olderThanSeconds: number, isDryRun: boolean): VerbCall {
  const seen =
    (at: number) =>
    (model: Model): Row[] =>
      model
        .held()
        .filter(({ assignedAt }) => (assignedAt ?? 0) <= at - olderThanSeconds)
        .toSorted(
          (a, b) =>
            Number(isLock(b)) - Number(isLock(a)) ||
            (a.assignedAt ?? 0) - (b.assignedAt ?? 0) ||
            (a.id < b.id ? -1 : 1),
        )
        .map((job) => ({ job_id: job.id, kind: isLock(job) ? 'lock' : 'job', owner: job.user, agent_id: job.agent }))
  return {
    verb: 'sweep_locks',
    parameters: '$1, $2',
    values: [olderThanSeconds, isDryRun],
    shown: `older than ${olderThanSeconds}${isDryRun ? ', dry' : ''}`,
    rule: (situation) => {
      const { model, at, answer, isAlone, isCommit } = situation
      if (olderThanSeconds < 0) {
        expectRefusal(situation, 'IL005')
        return
      }
      expectLooked(situation, seen(at))
      for (const { job_id, kind, status } of answer.rows) {
        const id = String(job_id)
        const meant = kind === 'job' ? 'running' : isDryRun ? 'held' : isStill(situation, id) ? 'released' : 'ended'
        if (status !== meant && !isCommit) disagree(`${kind} ${id} had to be ${meant}, and is ${status}`)
        if (status === 'ended' && isAlone && !isCommit) disagree(`${id} has ended, and nobody else was there`)
        if (status === 'released') model.end(id, 'cancelled')
      }
    },
  }
}

/** Which of them were taken is the verb's own choice: seen once it is committed. */
export function expireLocks(limit: number): VerbCall {
  return {
    verb: 'expire_locks',
    parameters: '$1',
    values: [limit],
    shown: String(limit),
    rule: (situation) => {
      const { model, at, observed, isAlone, isCommit } = situation
      const { ended, lapsed } = theRow(situation)
      const { marked, unasked, late } = overdue(model, at)
      const mostEnded = Math.min(marked.length, limit) + Math.min(unasked.length, limit)
      const mostLapsed = Math.min(late.length, limit)
      const said = `${ended} ended of ${marked.length} and ${unasked.length}, ${lapsed} lapsed of ${late.length}`
      if (Number(ended) > mostEnded || Number(lapsed) > mostLapsed) disagree(said)
      if (isAlone && !isCommit && (ended !== mostEnded || lapsed !== mostLapsed)) disagree(said)
      if (observed === null) return
      const left = new Map(observed.jobs.map((job) => [job.id, job]))
      // Of the same call those that are gone; another that ended just now may have taken some too, by another name.
      const gone = [...marked, ...unasked].filter(({ id }) => !left.has(id))
      const byName = gone.filter((job) => observed.ended[job.id]?.includes(outcomeOf(job)) === true)
      for (const job of byName.slice(0, Number(ended))) model.end(job.id, outcomeOf(job))
      const found = late.filter(({ id }) => !left.has(id) || left.get(id)?.askedToStopAt === at)
      const sure = found.toSorted((a, b) => Number(left.has(b.id)) - Number(left.has(a.id)))
      for (const { id } of sure.slice(0, Number(lapsed))) model.change(id, { askedToStopAt: at })
      if (byName.length < Number(ended) || sure.length < Number(lapsed)) disagree(`${said}, and other rows say so`)
    },
  }
}

function overdue(model: Model, at: number): Record<'marked' | 'unasked' | 'late', readonly ModelJob[]> {
  const locks = [...model.jobs.values()].filter(({ leaseUntil }) => leaseUntil !== null && leaseUntil <= at)
  const before = locks.filter(({ leaseUntil }) => (leaseUntil ?? 0) < at)
  return {
    marked: locks.filter(({ held, askedToStopAt }) => held !== null && askedToStopAt !== null),
    unasked: before.filter(({ held }) => held === null),
    late: before.filter(({ held, askedToStopAt }) => held !== null && askedToStopAt === null),
  }
}

/** Whoever asked for its end had its lease end at that instant; one that lapsed was found later. */
function outcomeOf({ held, askedToStopAt, leaseUntil }: ModelJob): string {
  return held === null || (leaseUntil ?? 0) < (askedToStopAt ?? 0) ? 'expired' : 'cancelled'
}

// Schedules: of several who fire one, one does.

import { type NewJob, newJob, showJob, wireOf } from './job-rules.ts'
import type { Model } from './model.ts'
import type { ScheduleRow } from './observation.ts'
import { disagree, expectRefusal, expectRows, type Situation, theRow, type VerbCall } from './rule.ts'

const timeOf = (seconds: number): string => new Date(Date.UTC(2030, 0, 1) + seconds * 1000).toISOString()

/** A verb of a schedule that there has to be. */
function ofSchedule(
  verb: string,
  parameters: string,
  values: readonly unknown[],
  change: (schedule: ScheduleRow, situation: Situation) => void,
): VerbCall {
  return {
    verb,
    parameters,
    values,
    shown: values.join(', '),
    rule: (situation) => {
      const schedule = situation.model.schedules.get(String(values[0]))
      if (schedule === undefined) expectRefusal(situation, 'IL014')
      else change(schedule, situation)
    },
  }
}

function store(model: Model, schedule: ScheduleRow): void {
  model.schedules.set(schedule.id, schedule)
}

export function setSchedule(name: string, cron: string, job: NewJob): VerbCall {
  return {
    verb: 'set_schedule',
    parameters: '$1, $2::jsonb',
    values: [name, JSON.stringify({ cron, job: wireOf(job) })],
    shown: `${name}, ${cron}, ${showJob(job)}`,
    rule: (situation) => {
      const { model } = situation
      const old = model.schedules.get(name)
      const isSame = old?.cron === cron
      const revision = old === undefined ? 1 : old.revision + (isSame ? 0 : 1)
      expectRows(situation, [{ outcome: old === undefined ? 'created' : isSame ? 'unchanged' : 'changed', revision }])
      if (isSame) return
      store(model, { isPaused: false, lastJob: null, ...old, id: name, cron, nextAt: null, revision })
    },
  }
}

export function runSchedule(name: string, job: NewJob): VerbCall {
  return ofSchedule('run_schedule', '$1', [name], (schedule, situation) => {
    const { model } = situation
    const id = String(theRow(situation).job_id)
    expectRows(situation, [{ status: 'pending' }])
    addJob(situation, id, job)
    store(model, { ...schedule, lastJob: id })
  })
}

export function fireSchedule(name: string, revision: number, slot: number, next: number, job: NewJob): VerbCall {
  return {
    verb: 'fire_schedule',
    parameters: '$1, $2, $3::timestamptz[], $4::timestamptz',
    values: [name, revision, [timeOf(slot)], timeOf(next)],
    shown: `${name}, revision ${revision}, at ${slot}, next at ${next}`,
    rule: (situation) => {
      const { model, at, isAlone, isCommit } = situation
      const schedule = model.schedules.get(name)
      const isDue = schedule?.revision === revision && !schedule.isPaused && (schedule.nextAt ?? 0) <= at
      const { outcome } = theRow(situation)
      // What somebody has locked is theirs.
      if (outcome === 'passed') {
        if (isDue && isAlone && !isCommit) disagree(`${name} was passed, and is due`)
        return
      }
      if (schedule === undefined || !isDue) disagree(`${name} was ${outcome}, and is not due`)
      const id = `${name}:${timeOf(slot).slice(0, 16)}Z`
      expectRows(situation, [{ outcome: 'fired', job_ids: [id] }])
      addJob(situation, id, job)
      store(model, { ...schedule, nextAt: next, revision: revision + 1, lastJob: id })
    },
  }
}

function addJob({ model, at }: Situation, id: string, job: NewJob): void {
  if (model.jobs.has(id) || model.ended.has(id)) disagree(`the id ${id} was given twice`)
  model.jobs.set(id, { ...newJob(job, at), id })
}

export function pauseSchedule(name: string, isPaused = true): VerbCall {
  return ofSchedule('pause_schedule', '$1, $2', [name, isPaused], (schedule, situation) => {
    const isChanged = schedule.isPaused !== isPaused
    const revision = schedule.revision + (isChanged ? 1 : 0)
    expectRows(situation, [{ is_changed: isChanged, revision }])
    if (isChanged) store(situation.model, { ...schedule, isPaused, nextAt: null, revision })
  })
}

export function deleteSchedule(name: string): VerbCall {
  return ofSchedule('delete_schedule', '$1', [name], (_schedule, situation) => {
    theRow(situation)
    situation.model.schedules.delete(name)
  })
}

// Jobs that wait for others. When a child is told of an end is the verbs' own choice, seen once it is committed; what it is
// told, and what becomes of it then, is not.

import { type NewJob, newJob, showJob, wireOf } from './job-rules.ts'
import type { Model } from './model.ts'
import type { DependencyRow } from './observation.ts'
import { disagree, expectRefusal, expectRows, type Situation, theRow, type VerbCall } from './rule.ts'

type Needs = DependencyRow['needs']

export function enqueueDependent(job: NewJob & { readonly id: string }, parent: string, needs: Needs): VerbCall {
  return {
    verb: 'enqueue_jobs',
    parameters: '$1::jsonb',
    values: [JSON.stringify([{ ...wireOf(job), depends_on: [parent], depends_on_outcome: needs }])],
    shown: `${showJob(job)} after ${needs === 'any' ? 'any end' : 'the success'} of ${parent}`,
    rule: (situation) => {
      const { model, before, at, answer, isCommit } = situation
      // It locks no parent: that it lives may be over when the child is committed.
      const said = [model, before].map((seen) => startOf(seen, job.id, parent, needs))
      const start = isCommit ? answer.rows[0]?.status : (said.find((each) => each === saidOf(situation)) ?? said[0])
      if (typeof start !== 'string') throw new Error('it was not answered')
      if (start.startsWith('IL')) {
        expectRefusal(situation, start)
        return
      }
      expectRows(situation, [{ ordinal: 1, job_id: job.id, status: start }])
      const isDeferred = start === 'deferred'
      model.jobs.set(job.id, { ...newJob(job, at), id: job.id, status: start })
      const id = `${job.id} on ${parent}`
      model.dependencies.set(id, {
        id,
        child: job.id,
        parent,
        needs,
        outcome: isDeferred ? null : outcomeOf(model, parent),
      })
    },
  }
}

const saidOf = ({ answer }: Situation) => answer.state ?? answer.rows[0]?.status

/** The state that it begins in, or the refusal. */
function startOf(model: Model, id: string, parent: string, needs: Needs): string {
  const lives = model.jobs.has(parent)
  const outcome = outcomeOf(model, parent)
  if (!lives && outcome === null) return 'IL005'
  if (!lives && needs === 'success' && outcome !== 'completed') return 'IL003'
  if (model.jobs.has(id) || model.ended.has(id)) return 'IL006'
  return lives ? 'deferred' : 'pending'
}

/** How a job has ended; a dead letter for good only once it is deleted. Null: it has not, or there never was one. */
function outcomeOf(model: Model, id: string): string | null {
  const status = model.jobs.get(id)?.status
  if (status !== undefined) return status === 'failed' ? 'failed' : null
  const ends = model.ended.get(id)
  return ends === undefined ? null : (ends.find((end) => end !== 'failed') ?? 'deleted')
}

/** Those that had to be told, and have been by what is committed now. */
export function tellDependents({ model, observed }: Situation): void {
  if (observed === null) return
  const told = new Set(observed.dependencies.flatMap(({ id, outcome }) => (outcome === null ? [] : [id])))
  for (const dependency of untold(model)) {
    if (!told.has(dependency.id)) continue
    model.dependencies.set(dependency.id, { ...dependency, outcome: outcomeOf(model, dependency.parent) })
    settleChild(model, dependency.child)
  }
}

function untold(model: Model): DependencyRow[] {
  return [...model.dependencies.values()].filter(({ parent, needs, outcome }) => {
    const end = outcomeOf(model, parent)
    return outcome === null && end !== null && (end !== 'failed' || needs === 'any')
  })
}

function settleChild(model: Model, child: string): void {
  if (model.jobs.get(child)?.status !== 'deferred') return
  const parents = [...model.dependencies.values()].filter((dependency) => dependency.child === child)
  if (parents.some(({ needs, outcome }) => needs === 'success' && outcome !== null && outcome !== 'completed'))
    model.end(child, 'cancelled')
  else if (parents.every(({ outcome }) => outcome !== null)) model.move(child, 'pending')
}

export function settleDependents(): VerbCall {
  return {
    verb: 'settle_dependents',
    parameters: '',
    values: [],
    shown: '',
    rule: (situation) => {
      const { model, isAlone, isCommit } = situation
      const told = Number(theRow(situation).told)
      const waiting = untold(model).length
      if (!isCommit && (told > waiting || (isAlone && told < waiting)))
        disagree(`${told} were told, and ${waiting} had to be`)
      tellDependents(situation)
    },
  }
}

// Many jobs at once: all of a user that are in one of these states and that nobody has locked. Which those were, the answer
// names, up to ten of them.

import { revive } from './job-rules.ts'
import { isLock, type ModelJob } from './model.ts'
import { disagree, type Situation, theRow, type VerbCall } from './rule.ts'

interface Change {
  readonly name: 'requeue' | 'delete' | 'priority'
  readonly statuses: readonly string[]
  readonly priority?: number
  readonly isFor?: (job: ModelJob) => boolean
  readonly apply: (situation: Situation, job: ModelJob) => void
}

function changeAllOf(user: string, { name, statuses, priority, isFor, apply }: Change): VerbCall {
  return {
    verb: 'change_jobs',
    parameters: `$1, $2::jsonb, p_priority => $3`,
    values: [name, JSON.stringify({ user, status: statuses }), priority ?? null],
    shown: `${name}${priority === undefined ? '' : ` ${priority}`}, ${user}`,
    rule: (situation) => {
      const { model, isAlone, isCommit } = situation
      const { changed, asked, busy, examples } = theRow(situation)
      const meant = [...model.jobs.values()].filter(
        (job) =>
          job.user === user && !isLock(job) && statuses.includes(job.status) && (isFor === undefined || isFor(job)),
      )
      const ids = examples as readonly string[]
      if (asked !== 0 || changed !== ids.length) disagree(`${changed} were changed, ${asked} asked, ${ids.join(' ')}`)
      if (isAlone && !isCommit && (busy !== 0 || ids.length !== meant.length))
        disagree(`${ids.join(' ')} were changed, and ${meant.map(({ id }) => id).join(' ')} had to be`)
      for (const id of ids) {
        const job = meant.find((each) => each.id === id)
        if (job === undefined) disagree(`${id} was changed, and is ${model.jobs.get(id)?.status ?? 'gone'}`)
        apply(situation, job)
      }
    },
  }
}

export const requeueAllOf = (user: string): VerbCall =>
  changeAllOf(user, { name: 'requeue', statuses: ['failed', 'scheduled'], apply: revive })

export const deleteAllOf = (user: string): VerbCall =>
  changeAllOf(user, {
    name: 'delete',
    statuses: ['failed', 'scheduled', 'deferred', 'paused', 'pending'],
    apply: ({ model }, { id }) => model.end(id, 'deleted'),
  })

export const reprioritiseAllOf = (user: string, priority: number): VerbCall =>
  changeAllOf(user, {
    name: 'priority',
    statuses: ['scheduled', 'deferred', 'paused', 'pending'],
    priority,
    isFor: (job) => job.priority !== priority,
    apply: ({ model }, { id }) => model.change(id, { priority }),
  })

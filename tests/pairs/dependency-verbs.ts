// Jobs that depend on the subject: whatever ends it meanwhile, they hear of it.

import { enqueueDependent, settleDependents } from '../commands/dependency-rules.ts'
import { again } from './job-verbs.ts'
import { always, type PairVerb, when } from './standing.ts'

const child = { ...again, id: 'n' }

export const dependencyVerbs: readonly PairVerb[] = [
  {
    name: 'enqueue_jobs (after its success)',
    scenes: ['running', 'failed', 'idle'],
    lockScenes: ['locked'],
    call: ({ id }) => enqueueDependent(child, id, 'success'),
    // Refused where that will never come.
    outcome: ({ isIdTaken, job, hasCompleted }) => when(!isIdTaken && (hasCompleted || job !== 'ended')),
    after: (standing) => ({ ...standing, isIdTaken: true }),
  },
  {
    name: 'enqueue_jobs (after any end)',
    scenes: ['running', 'failed'],
    lockScenes: ['locked'],
    call: ({ id }) => enqueueDependent(child, id, 'any'),
    outcome: ({ isIdTaken }) => when(!isIdTaken),
    after: (standing) => ({ ...standing, isIdTaken: true }),
  },
  {
    name: 'settle_dependents',
    scenes: ['untold', 'parent', 'orphaned'],
    call: () => settleDependents(),
    outcome: always,
  },
]

// Many jobs at once. They wait for nobody, and the manual lock is ann's.

import { deleteAllOf, reprioritiseAllOf, requeueAllOf } from '../commands/change-jobs-rules.ts'
import { cancelAllOf } from '../commands/job-rules.ts'
import { held, jobBecomes, type PairVerb, type Standing, waiting, when } from './standing.ts'

const notStarted = [...waiting, 'scheduled', 'paused', 'unapproved']
const ofAlice =
  (states: readonly string[]) =>
  ({ isLock, job }: Standing) =>
    when(!isLock && states.includes(job), 'has nothing to do')

export const changeJobsVerbs: readonly PairVerb[] = [
  {
    name: 'change_jobs (cancel)',
    scenes: ['pending', 'running'],
    lockScenes: ['asked', 'locked'],
    call: () => cancelAllOf('alice'),
    outcome: ({ job, isLock }) => when(!isLock && !['failed', 'ended', 'stopping'].includes(job), 'has nothing to do'),
    after: (standing) => ({ ...standing, job: held.includes(standing.job) ? 'stopping' : 'ended' }),
  },
  {
    name: 'change_jobs (requeue)',
    scenes: ['failed', 'scheduled'],
    call: () => requeueAllOf('alice'),
    outcome: ofAlice(['failed', 'scheduled']),
    after: jobBecomes('queued'),
  },
  {
    name: 'change_jobs (delete)',
    scenes: ['pending', 'failed'],
    lockScenes: ['asked'],
    call: () => deleteAllOf('alice'),
    outcome: ofAlice([...notStarted, 'failed']),
    after: jobBecomes('ended'),
  },
  {
    name: 'change_jobs (priority)',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: () => reprioritiseAllOf('alice', 0),
    outcome: (standing) => (standing.isUrgent ? 'has nothing to do' : ofAlice(notStarted)(standing)),
    after: (standing) => ({ ...standing, isUrgent: true }),
  },
]

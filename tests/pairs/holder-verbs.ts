// The verbs of who holds the subject: under the token 1, which is stale once it was granted anew.

import {
  appendOutput,
  completeJobs,
  confirmCancel,
  failJob,
  heartbeatJob,
  reportProgress,
  reportStep,
  returnJobs,
  startJobs,
} from '../commands/holder-rules.ts'
import { completed, current, ifJobIs, jobBecomes, type PairVerb, released, when } from './standing.ts'
import { claimOf } from './subjects.ts'

export const holderVerbs: readonly PairVerb[] = [
  {
    name: 'start_jobs',
    scenes: ['assigned'],
    lockScenes: ['granted'],
    call: (subject) => startJobs([claimOf(subject)]),
    outcome: ifJobIs(['assigned', 'running', 'executing', 'lost', 'granted', 'locked', 'lapsed']),
    after: (standing) => {
      if (standing.job === 'granted') return { ...standing, job: 'locked' }
      return standing.job === 'assigned' ? { ...standing, job: 'running' } : standing
    },
  },
  {
    name: 'report_progress',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => reportProgress(claimOf(subject), 50),
    outcome: ifJobIs(current),
  },
  {
    name: 'heartbeat_job',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => heartbeatJob(claimOf(subject)),
    outcome: ifJobIs(current),
  },
  {
    name: 'report_step',
    scenes: ['executing'],
    call: (subject) => reportStep(claimOf(subject), 'draw'),
    outcome: ({ job, isExecution }) => when(isExecution && current.includes(job)),
  },
  {
    name: 'append_output',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => appendOutput(claimOf(subject), 'a line'),
    outcome: ifJobIs(current),
  },
  {
    name: 'complete_jobs',
    scenes: ['running'],
    lockScenes: ['granted', 'locked'],
    call: (subject) => completeJobs([claimOf(subject)]),
    outcome: ifJobIs(current),
    after: completed,
  },
  {
    name: 'fail_job',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => failJob(claimOf(subject), 'now'),
    outcome: ifJobIs(current),
    // A lock has one attempt.
    after: (standing) =>
      standing.isLock && current.includes(standing.job) && standing.job !== 'marked'
        ? { ...standing, job: 'failed' }
        : released(standing),
  },
  {
    name: 'fail_job (for good)',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => failJob(claimOf(subject), 'never'),
    outcome: ifJobIs(current),
    after: (standing) => ({ ...standing, job: ['stopping', 'marked'].includes(standing.job) ? 'ended' : 'failed' }),
  },
  {
    name: 'return_jobs',
    scenes: ['running', 'stopping'],
    lockScenes: ['locked', 'marked'],
    call: (subject) => returnJobs([claimOf(subject)]),
    outcome: ifJobIs(current),
    after: released,
  },
  {
    name: 'confirm_cancel',
    scenes: ['stopping'],
    lockScenes: ['marked'],
    call: (subject) => confirmCancel(claimOf(subject)),
    outcome: ifJobIs(['stopping', 'marked']),
    after: jobBecomes('ended'),
  },
]

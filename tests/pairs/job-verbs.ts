// The verbs of whoever enqueues jobs, and of the tick that moves them on.

import type { NewJob } from '../commands/job-rules.ts'
import {
  approveJob,
  cancelExecution,
  cancelJob,
  deleteJob,
  enqueueJobs,
  expireJobs,
  promoteDueJobs,
  rejectJob,
  requeueJob,
  setPriority,
  startPausedJob,
} from '../commands/job-rules.ts'
import { executeWorkflow } from '../commands/workflow-rules.ts'
import { held, ifJobIs, jobBecomes, type PairVerb, waiting, when } from './standing.ts'

export const again: NewJob = {
  task: 'work',
  queue: 'default',
  user: 'alice',
  resources: ['model:flux'],
  priority: 2,
  level: 'autonomous',
  maxAttempts: 3,
  ttlSeconds: 0,
}

export const jobVerbs: readonly PairVerb[] = [
  {
    name: 'enqueue_jobs',
    scenes: ['pending', 'idle'],
    lockScenes: ['asked'],
    call: () => enqueueJobs([{ ...again, id: 'n' }]),
    outcome: ({ isIdTaken }) => when(!isIdTaken),
    after: (standing) => ({ ...standing, isIdTaken: true }),
  },
  {
    name: 'enqueue_jobs (of that id)',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: ({ id }) => enqueueJobs([{ ...again, id }]),
    outcome: () => 'is refused',
  },
  {
    name: 'execute_workflow',
    scenes: ['pending', 'executing'],
    lockScenes: ['asked'],
    call: () => executeWorkflow('n', 'alice'),
    outcome: ({ isIdTaken }) => when(!isIdTaken),
    after: (standing) => ({ ...standing, isIdTaken: true }),
  },
  {
    name: 'execute_workflow (of that id)',
    scenes: ['executing'],
    lockScenes: ['locked'],
    call: ({ id }) => executeWorkflow(id, 'alice'),
    outcome: () => 'is refused',
  },
  {
    name: 'cancel_job',
    scenes: ['pending', 'running'],
    lockScenes: ['asked', 'locked'],
    call: ({ id }) => cancelJob(id),
    outcome: ({ job }) => when(job !== 'failed' && job !== 'ended'),
    after: (standing) => ({
      ...standing,
      job: !held.includes(standing.job) ? 'ended' : standing.isLock ? 'marked' : 'stopping',
    }),
  },
  {
    name: 'cancel_execution',
    scenes: ['executing'],
    call: ({ id }) => cancelExecution(id),
    outcome: ({ job, isExecution }) => when(isExecution && job !== 'failed' && job !== 'ended'),
    after: (standing) => ({ ...standing, job: held.includes(standing.job) ? 'stopping' : 'ended' }),
  },
  {
    name: 'approve_job',
    scenes: ['unapproved'],
    call: ({ id }) => approveJob(id),
    outcome: ifJobIs(['unapproved']),
    after: jobBecomes('queued'),
  },
  {
    name: 'reject_job',
    scenes: ['unapproved'],
    call: ({ id }) => rejectJob(id),
    outcome: ifJobIs(['unapproved']),
    after: jobBecomes('ended'),
  },
  {
    name: 'delete_job',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: ({ id }) => deleteJob(id),
    outcome: ifJobIs([...waiting, 'scheduled', 'paused', 'unapproved', 'failed']),
    after: jobBecomes('ended'),
  },
  {
    name: 'requeue_job',
    scenes: ['failed'],
    call: ({ id }) => requeueJob(id),
    outcome: ifJobIs(['failed', 'scheduled']),
    after: jobBecomes('queued'),
  },
  {
    name: 'set_priority',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: ({ id }) => setPriority(id, 1),
    outcome: ({ job }) => when(job !== 'ended'),
    after: (standing) => ({ ...standing, isUrgent: false }),
  },
  {
    name: 'start_paused_job',
    scenes: ['paused'],
    call: ({ id }) => startPausedJob(id),
    outcome: ifJobIs(['paused']),
    after: jobBecomes('queued'),
  },
  {
    name: 'promote_due_jobs',
    scenes: ['scheduled'],
    call: () => promoteDueJobs(1000),
    outcome: ifJobIs(['scheduled'], 'has nothing to do'),
    after: jobBecomes('queued'),
  },
  {
    name: 'expire_jobs',
    scenes: ['expiring'],
    call: () => expireJobs(),
    outcome: ifJobIs(['expiring'], 'has nothing to do'),
    after: jobBecomes('ended'),
  },
]

// The verbs of manual locks. On a job that is none they are refused, but for those that take from whoever holds.

import { expireLocks, releaseResource, sweepLocks } from '../commands/lock-end-rules.ts'
import { extendLock, releaseLock } from '../commands/lock-holder-rules.ts'
import { acquireLock, pollLock } from '../commands/lock-rules.ts'
import { always, completed, current, held, jobBecomes, type PairVerb, type Standing, when } from './standing.ts'

const request = {
  resources: ['user:alice', 'model:flux'],
  owner: 'bea',
  leaseSeconds: 60,
  waitSeconds: 30,
  priority: 2,
}

const onPoll: Readonly<Record<string, Standing['job']>> = { granted: 'locked', unasked: 'asked' }
const onExpiry: Readonly<Record<string, Standing['job']>> = { unasked: 'ended', lapsed: 'marked', marked: 'ended' }
const moved =
  (moves: Readonly<Record<string, Standing['job']>>) =>
  (standing: Standing): Standing => ({ ...standing, job: moves[standing.job] ?? standing.job })

export const lockVerbs: readonly PairVerb[] = [
  {
    name: 'acquire_lock',
    isForLocks: true,
    scenes: ['asked'],
    call: () => acquireLock(request),
    outcome: always,
  },
  {
    name: 'poll_lock',
    isForLocks: true,
    scenes: ['unasked', 'granted'],
    call: ({ id }) => pollLock(id, 'ann'),
    outcome: ({ isLock }) => when(isLock),
    after: moved(onPoll),
  },
  {
    name: 'extend_lock',
    isForLocks: true,
    scenes: ['locked'],
    call: ({ id }) => extendLock(id, 1, null),
    outcome: ({ job }) => when(job === 'locked'),
  },
  {
    name: 'release_lock',
    isForLocks: true,
    scenes: ['locked', 'lapsed'],
    call: ({ id }) => releaseLock(id, 1),
    outcome: ({ isLock, job }) => when(isLock && current.includes(job)),
    after: completed,
  },
  {
    name: 'release_lock (by force)',
    isForLocks: true,
    scenes: ['asked', 'lining', 'locked'],
    call: ({ id }) => releaseLock(id, null),
    outcome: ({ isLock, job }) => when(isLock && job !== 'ended'),
    after: jobBecomes('ended'),
  },
  {
    name: 'release_resource',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: ({ id }) => releaseResource('model:flux', id),
    outcome: ({ job, hasLent }) => when(held.includes(job) && !hasLent),
    after: (standing) => ({ ...standing, job: standing.isLock ? 'ended' : 'stopping' }),
    looksFirst: true,
  },
  {
    name: 'sweep_locks',
    isForLocks: true,
    scenes: ['locked'],
    call: () => sweepLocks(0, false),
    // A companion, too: another one is sent.
    outcome: ({ isLock, job, question }) =>
      when((isLock && held.includes(job)) || question === 'returning', 'has nothing to do'),
    after: (standing) => (standing.isLock ? { ...standing, job: 'ended' } : { ...standing, question: 'recalled' }),
    looksFirst: true,
  },
  {
    name: 'expire_locks',
    isForLocks: true,
    scenes: ['unasked', 'lapsed', 'marked'],
    call: () => expireLocks(1000),
    outcome: ({ job }) => when(onExpiry[job] !== undefined, 'has nothing to do'),
    after: moved(onExpiry),
    looksFirst: true,
  },
]

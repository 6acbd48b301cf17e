// What the commands about manual locks choose.

import { type Choice, type Draw, pick, things } from './candidates.ts'
import { claimJobs } from './lane-rules.ts'
import { expireLocks, releaseResource, sweepLocks } from './lock-end-rules.ts'
import { extendLock, releaseLock } from './lock-holder-rules.ts'
import { acquireLock, type LockRequest, pollLock } from './lock-rules.ts'
import { isLock, locksAgent, type ModelJob } from './model.ts'
import type { Run } from './run.ts'

const owners = ['ann', 'ben']
const lockables = ['user:a', 'user:b', ...things, 'tool:lathe']

const wrongRequests: readonly Partial<LockRequest>[] = [
  { resources: [] },
  { resources: ['no kind'] },
  { resources: ['rate:model:x'] },
  { owner: '' },
  { leaseSeconds: 0 },
  { waitSeconds: 100_000 },
  { priority: 4 },
]

function locksThatAre({ model }: Readonly<Run>, ...statuses: readonly string[]): ModelJob[] {
  return [...model.jobs.values()].filter((job) => isLock(job) && statuses.includes(job.status))
}

/** Mostly one that the verb is for; else one that has ended, a job that is no lock, or nothing that ever was. */
function someLock(
  run: Readonly<Run>,
  { picks: [n, dice = 0] }: Draw,
  ...statuses: readonly string[]
): string | undefined {
  const { model } = run
  if (dice % 12 !== 0) return pick(locksThatAre(run, ...statuses), n)?.id
  return pick([...model.lockOwners.keys(), ...[...model.jobs.keys()].slice(0, 2), 'nobody'], n)
}

/** Its own; now and then one of before, or of nobody. */
function tokenOf({ model }: Readonly<Run>, id: string, dice: number): number {
  const token = model.jobs.get(id)?.token ?? 1
  const wrong = [...model.given.filter(({ job }) => job === id).map((claim) => claim.token), token + 1]
  return dice % 5 === 0 ? (wrong[dice % wrong.length] ?? token) : token
}

export const lockChoices: Readonly<Record<string, Choice>> = {
  acquireLock: {
    weight: 10,
    choose: (_run, { picks: [n = 0, owner, lease, wait, priority = 0, wrong = 0] }) => {
      const resources = lockables.filter((_, i) => ((n >> i) & 3) === 0).slice(0, 3)
      return acquireLock({
        resources: resources.length > 0 ? resources : [pick(lockables, n) ?? ''],
        owner: pick(owners, owner) ?? '',
        leaseSeconds: pick([5, 60, 400], lease) ?? 5,
        waitSeconds: pick([5, 40, 400], wait) ?? 5,
        priority: (priority % 7) / 2,
        ...(wrong % 19 === 0 ? pick(wrongRequests, owner) : {}),
      })
    },
  },
  grantLocks: {
    weight: 14,
    choose: (run, { picks: [n = 0] }) =>
      locksThatAre(run, 'pending').length === 0 ? null : claimJobs(locksAgent, 1 + (n % 3)),
  },
  pollLock: {
    weight: 12,
    choose: (run, draw) => {
      const [n = 0, , dice = 0] = draw.picks
      const id = someLock(
        run,
        draw,
        ...(n % 3 === 0
          ? ['assigned', 'pending', 'running', 'failed']
          : [locksThatAre(run, 'assigned').length > 0 ? 'assigned' : 'pending']),
      )
      if (id === undefined) return null
      const owner = run.model.lockOwners.get(id) ?? 'ann'
      return pollLock(id, dice % 11 === 0 ? (pick(owners, dice) ?? '') : owner)
    },
  },
  extendLock: {
    weight: 5,
    choose: (run, draw) => {
      const [n = 0, , lease, token = 0] = draw.picks
      const id = someLock(run, draw, ...(n % 4 === 0 ? ['assigned', 'pending', 'running'] : ['running']))
      return id === undefined
        ? null
        : extendLock(id, tokenOf(run, id, token), pick([null, 5, 40, 400, 0], lease) ?? null)
    },
  },
  releaseLock: {
    weight: 5,
    choose: (run, draw) => {
      const [n = 0, , , token = 0] = draw.picks
      const id = someLock(run, draw, ...(n % 3 === 0 ? ['pending', 'assigned', 'failed'] : ['running']))
      if (id === undefined) return null
      return releaseLock(id, token % 3 === 0 ? null : tokenOf(run, id, token))
    },
  },
  releaseResource: {
    weight: 2,
    choose: ({ model }, { picks: [n, of, dice = 0] }) => {
      const held = model.held().flatMap((job) => job.held ?? [])
      const resource =
        pick(dice % 7 === 0 || held.length === 0 ? [...lockables, 'no kind', 'user:nobody'] : held, n) ?? ''
      const holder = pick(dice % 5 === 0 ? [...model.jobs.keys(), 'nobody'] : [...model.holdersOf(resource)], of)
      return releaseResource(resource, dice % 2 === 0 ? null : (holder ?? null))
    },
  },
  sweepLocks: {
    weight: 1,
    choose: (_run, { picks: [n, dice = 0] }) => sweepLocks(pick([0, 5, 30, 100, -1], n) ?? 0, dice % 2 === 0),
  },
  expireLocks: { weight: 5, choose: (_run, { picks: [n = 0] }) => expireLocks(n % 3 === 0 ? 1 : 1000) },
}

// What two verbs meet on: a job, or a manual lock.

import type { Claim } from '../commands/model.ts'
import type { SceneName } from './scenes.ts'

const ofLocks: readonly SceneName[] = ['asked', 'unasked', 'lining', 'granted', 'locked', 'lapsed', 'marked']

/** What the verbs meet on. */
export interface Subject {
  readonly id: 'j' | 'a1'
  readonly lane: string
  readonly queue: string
  /** In whose name it is claimed. */
  readonly agent: string
}

export type Subjects = Readonly<Record<'job' | 'lock', Subject>>

export const subjectQuery = `select
  interlock.lane_id('default/autonomous', 'work', array['user:alice', 'model:flux']) as job,
  interlock.lane_id('locks/autonomous', 'lock', array['user:alice', 'lock:a1', 'model:flux']) as lock`

export const subjectsOf = (lanes: { readonly job: string; readonly lock: string }): Subjects => ({
  job: { id: 'j', lane: lanes.job, queue: 'default', agent: 'worker.1' },
  lock: { id: 'a1', lane: lanes.lock, queue: 'locks', agent: 'locks.0' },
})

export const isOfLock = (scene: SceneName): boolean => ofLocks.includes(scene)
export const idIn = (scene: SceneName): string => (isOfLock(scene) ? 'a1' : 'j')

/** Under the token 1, which is stale once it was granted anew. */
export const claimOf = ({ id }: Subject): Claim => ({ job: id, token: 1 })

// Capacities, start rates and pauses, of the resource that everybody in a scene needs.

import { pauseResource, removeLimit, setLimit, wakeRate } from '../commands/limit-rules.ts'
import { always, type PairVerb, type Standing } from './standing.ts'

const opened = (standing: Standing): Standing => ({
  ...standing,
  isResourcePaused: false,
  job: standing.job === 'closed' ? 'pending' : standing.job,
})

export const limitVerbs: readonly PairVerb[] = [
  {
    name: 'set_limit',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: () => setLimit('model:flux', 2),
    outcome: always,
    after: opened,
  },
  {
    name: 'set_limit (a start rate)',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: () => setLimit('model:flux', 1, { startsPerMinute: 1 }),
    outcome: always,
    after: opened,
  },
  {
    name: 'remove_limit',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: () => removeLimit('limit:all'),
    outcome: always,
  },
  {
    name: 'pause_resource',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: () => pauseResource('model:flux'),
    outcome: always,
    after: (standing) => ({ ...standing, isResourcePaused: true }),
  },
  {
    name: 'pause_resource (no more)',
    scenes: ['closed'],
    call: () => pauseResource('model:flux', false),
    outcome: always,
    after: opened,
  },
  {
    name: 'wake_rate',
    scenes: ['rated'],
    call: () => wakeRate('rate:model:flux'),
    outcome: always,
    after: (standing) => (standing.job === 'rated' ? { ...standing, job: 'pending' } : standing),
  },
]

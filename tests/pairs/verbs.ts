// The verbs that write, each with the scenes that it is for, and what it comes to: the table that the pairs are made of.

import {
  absorbTouches,
  claimJobs,
  claimLane,
  collectIdle,
  setQueue,
  stopReserving,
  wakePatientLanes,
} from '../commands/lane-rules.ts'
import { agentVerbs } from './agent-verbs.ts'
import { changeJobsVerbs } from './change-jobs-verbs.ts'
import { dependencyVerbs } from './dependency-verbs.ts'
import { ensurePartitions, pruneHistory } from './history-rules.ts'
import { holderVerbs } from './holder-verbs.ts'
import { jobVerbs } from './job-verbs.ts'
import { limitVerbs } from './limit-verbs.ts'
import { lockVerbs } from './lock-verbs.ts'
import { questionVerbs } from './question-verbs.ts'
import { scheduleVerbs } from './schedule-verbs.ts'
import { always, jobBecomes, ofClaim, type PairVerb } from './standing.ts'

const laneVerbs: readonly PairVerb[] = [
  {
    name: 'absorb_touches',
    scenes: ['touched'],
    lockScenes: ['asked'],
    call: () => absorbTouches(1000),
    outcome: always,
  },
  {
    name: 'claim_jobs',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: ({ agent }) => claimJobs(agent, 1),
    outcome: ofClaim,
    after: jobBecomes('claimed'),
  },
  {
    name: 'claim_lane',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: ({ agent, lane }) => claimLane(agent, lane),
    outcome: ofClaim,
    after: jobBecomes('claimed'),
  },
  {
    name: 'set_queue',
    scenes: ['pending'],
    lockScenes: ['asked'],
    call: ({ queue }) => setQueue(queue, { is_paused: true }),
    outcome: always,
    after: (standing) => ({ ...standing, isQueuePaused: true }),
  },
  {
    name: 'wake_patient_lanes',
    scenes: ['patient'],
    lockScenes: ['lining'],
    call: () => wakePatientLanes('', 200),
    outcome: always,
  },
  {
    name: 'stop_reserving',
    scenes: ['reserving'],
    lockScenes: ['lining'],
    call: ({ lane }) => stopReserving(lane),
    outcome: always,
  },
  { name: 'collect_idle', scenes: ['idle'], lockScenes: ['lining'], call: () => collectIdle(), outcome: always },
  { name: 'prune_history', scenes: ['running'], lockScenes: ['locked'], call: () => pruneHistory(), outcome: always },
  {
    name: 'ensure_partitions',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: () => ensurePartitions(),
    outcome: always,
  },
]

export const pairVerbs: readonly PairVerb[] = [
  ...jobVerbs,
  ...changeJobsVerbs,
  ...dependencyVerbs,
  ...laneVerbs,
  ...holderVerbs,
  ...agentVerbs,
  ...limitVerbs,
  ...lockVerbs,
  ...questionVerbs,
  ...scheduleVerbs,
]

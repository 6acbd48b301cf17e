// The verbs of a schedule `s`, whose slot of 00:00 has come and is not taken yet.

import type { NewJob } from '../commands/job-rules.ts'
import { deleteSchedule, fireSchedule, pauseSchedule, runSchedule, setSchedule } from '../commands/schedule-rules.ts'
import { again } from './job-verbs.ts'
import { always, type Outcome, type PairVerb, type Standing, when } from './standing.ts'

// As in the scene.
const job: NewJob = { ...again, resources: [] }

const becomes =
  (schedule: Standing['schedule']) =>
  (standing: Standing): Standing => ({ ...standing, schedule })
const ifThere =
  (outcome: (schedule: Standing['schedule']) => Outcome) =>
  ({ schedule }: Standing): Outcome =>
    schedule === null ? 'is refused' : outcome(schedule)

export const scheduleVerbs: readonly PairVerb[] = [
  {
    name: 'set_schedule',
    scenes: ['struck', 'running'],
    call: () => setSchedule('s', '@hourly', job),
    outcome: ({ schedule }) => when(schedule !== 'set', 'has nothing to do'),
    after: becomes('set'),
  },
  {
    name: 'run_schedule',
    scenes: ['struck'],
    call: () => runSchedule('s', job),
    outcome: ifThere(always),
  },
  {
    name: 'fire_schedule',
    scenes: ['struck'],
    call: () => fireSchedule('s', 2, 0, 60, job),
    outcome: ({ schedule }) => when(schedule === 'due', 'has nothing to do'),
    after: becomes('planned'),
  },
  {
    name: 'pause_schedule',
    scenes: ['struck'],
    call: () => pauseSchedule('s'),
    outcome: ifThere((schedule) => when(schedule !== 'paused', 'has nothing to do')),
    after: becomes('paused'),
  },
  {
    name: 'pause_schedule (no more)',
    scenes: ['resting'],
    call: () => pauseSchedule('s', false),
    outcome: ifThere((schedule) => when(schedule === 'paused', 'has nothing to do')),
    after: becomes('planned'),
  },
  {
    name: 'delete_schedule',
    scenes: ['struck'],
    call: () => deleteSchedule('s'),
    outcome: ifThere(always),
    after: becomes(null),
  },
]

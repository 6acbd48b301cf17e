// The verbs that write, each with the scenes that it is for, and what it comes to: the table that the pairs are made of.

import { drainAgent, endAgent, heartbeatAgent, registerAgent, sweepAgent } from '../commands/agent-rules.ts'
import {
  appendOutput,
  completeJobs,
  confirmCancel,
  failJob,
  reportProgress,
  returnJobs,
  startJobs,
} from '../commands/holder-rules.ts'
import {
  cancelJob,
  deleteJob,
  enqueueJobs,
  expireJobs,
  type NewJob,
  promoteDueJobs,
  requeueJob,
  setPriority,
  startPausedJob,
} from '../commands/job-rules.ts'
import {
  absorbTouches,
  claimJobs,
  claimLane,
  collectIdle,
  removeLimit,
  setLimit,
  setQueue,
  stopReserving,
  wakePatientLanes,
} from '../commands/lane-rules.ts'
import type { VerbCall } from '../commands/rule.ts'
import { ensurePartitions, pruneHistory } from './history-rules.ts'
import type { SceneName } from './scenes.ts'

/** What a verb comes to, as far as `j` is concerned: a claim that starts another job has nothing to do with it. */
export type Outcome = 'takes effect' | 'has nothing to do' | 'is refused' | 'has to ask again'

/** Of `j` and of the agent that holds it, as much as decides between two verbs. */
export interface Standing {
  /** `claimed`: just now, so that the token that the others name is stale; `queued`: it waits behind the others. */
  readonly job: SceneName | 'ended' | 'claimed' | 'queued'
  readonly agent: 'alive' | 'draining' | 'lost' | 'gone'
  readonly isQueuePaused: boolean
  /** Whether the id `n` names a job. */
  readonly isIdTaken: boolean
}

export interface PairVerb {
  readonly name: string
  readonly scenes: readonly SceneName[]
  readonly call: (lane: string) => VerbCall
  /** What it comes to, alone in this standing. */
  readonly outcome: (standing: Standing) => Outcome
  /** The standing after it took effect. */
  readonly after?: (standing: Standing) => Standing
  /** It does so although it has nothing to do with `j`. */
  readonly alwaysChanges?: true
}

const claim = { job: 'j', token: 1 }
const again: NewJob = {
  task: 'work',
  queue: 'default',
  user: 'alice',
  resources: ['model:flux'],
  priority: 2,
  level: 'autonomous',
  maxAttempts: 3,
  ttlSeconds: 0,
}

const current: readonly string[] = ['assigned', 'running', 'stopping', 'lost']
const held: readonly string[] = [...current, 'claimed']
// The agent holds another job there.
const holdingX: readonly string[] = ['patient', 'reserving']
const waiting: readonly string[] = ['pending', 'queued', 'touched', 'expiring', 'patient', 'reserving']

const always = (): Outcome => 'takes effect'
const when = (isRight: boolean, otherwise: Outcome = 'is refused'): Outcome => (isRight ? 'takes effect' : otherwise)
const ifJobIs =
  (states: readonly string[], otherwise?: Outcome) =>
  ({ job }: Standing): Outcome =>
    when(states.includes(job), otherwise)
const jobBecomes =
  (job: Standing['job']) =>
  (standing: Standing): Standing => ({ ...standing, job })
const released = (standing: Standing): Standing => ({
  ...standing,
  job: standing.job === 'stopping' ? 'ended' : held.includes(standing.job) ? 'pending' : standing.job,
})
const agentIs =
  (agent: Standing['agent']) =>
  (standing: Standing): Standing => ({ ...standing, agent })
const ifAlive = ({ agent }: Standing): Outcome => when(agent === 'alive' || agent === 'draining')

// Where its lane is awake, or nothing else holds what it needs once it was given back.
const startable: readonly string[] = ['pending', 'touched', 'expiring']

/** A claim of the agent that may hold `j` already. */
const ofClaim = (standing: Standing): Outcome => {
  if (ifAlive(standing) === 'is refused') return 'is refused'
  const isOpen = standing.agent === 'alive' && !standing.isQueuePaused
  return when(isOpen && startable.includes(standing.job), 'has nothing to do')
}

export const pairVerbs: readonly PairVerb[] = [
  {
    name: 'enqueue_jobs',
    scenes: ['pending', 'idle'],
    call: () => enqueueJobs([{ ...again, id: 'n' }]),
    outcome: ({ isIdTaken }) => when(!isIdTaken),
    after: (standing) => ({ ...standing, isIdTaken: true }),
  },
  {
    name: 'enqueue_jobs (of that id)',
    scenes: ['running'],
    call: () => enqueueJobs([{ ...again, id: 'j' }]),
    outcome: () => 'is refused',
  },
  { name: 'absorb_touches', scenes: ['touched'], call: () => absorbTouches(1000), outcome: always },
  {
    name: 'claim_jobs',
    scenes: ['pending'],
    call: () => claimJobs('worker.1', 1),
    outcome: ofClaim,
    after: jobBecomes('claimed'),
  },
  {
    name: 'claim_lane',
    scenes: ['pending'],
    call: (lane) => claimLane('worker.1', lane),
    outcome: ofClaim,
    after: jobBecomes('claimed'),
  },
  {
    name: 'start_jobs',
    scenes: ['assigned'],
    call: () => startJobs([claim]),
    outcome: ifJobIs(['assigned', 'running', 'lost']),
    after: (standing) => (standing.job === 'assigned' ? { ...standing, job: 'running' } : standing),
  },
  { name: 'report_progress', scenes: ['running'], call: () => reportProgress(claim, 50), outcome: ifJobIs(current) },
  { name: 'append_output', scenes: ['running'], call: () => appendOutput(claim, 'a line'), outcome: ifJobIs(current) },
  {
    name: 'complete_jobs',
    scenes: ['running'],
    call: () => completeJobs([claim]),
    outcome: ifJobIs(current),
    after: jobBecomes('ended'),
  },
  {
    name: 'fail_job',
    scenes: ['running'],
    call: () => failJob(claim, 'now'),
    outcome: ifJobIs(current),
    after: released,
  },
  {
    name: 'return_jobs',
    scenes: ['running', 'stopping'],
    call: () => returnJobs([claim]),
    outcome: ifJobIs(current),
    after: released,
  },
  {
    name: 'cancel_job',
    scenes: ['pending', 'running'],
    call: () => cancelJob('j'),
    outcome: ({ job }) => when(job !== 'failed' && job !== 'ended' && job !== 'idle'),
    after: (standing) => ({ ...standing, job: held.includes(standing.job) ? 'stopping' : 'ended' }),
  },
  {
    name: 'confirm_cancel',
    scenes: ['stopping'],
    call: () => confirmCancel(claim),
    outcome: ifJobIs(['stopping']),
    after: jobBecomes('ended'),
  },
  {
    name: 'delete_job',
    scenes: ['pending'],
    call: () => deleteJob('j'),
    outcome: ifJobIs([...waiting, 'scheduled', 'paused', 'failed']),
    after: jobBecomes('ended'),
  },
  {
    name: 'requeue_job',
    scenes: ['failed'],
    call: () => requeueJob('j'),
    outcome: ifJobIs(['failed', 'scheduled']),
    after: jobBecomes('queued'),
  },
  {
    name: 'set_priority',
    scenes: ['pending'],
    call: () => setPriority('j', 1),
    outcome: ({ job }) => when(job !== 'ended' && job !== 'idle'),
  },
  {
    name: 'start_paused_job',
    scenes: ['paused'],
    call: () => startPausedJob('j'),
    outcome: ifJobIs(['paused']),
    after: jobBecomes('queued'),
  },
  { name: 'set_limit', scenes: ['running'], call: () => setLimit('model:flux', 2), outcome: always },
  { name: 'remove_limit', scenes: ['running'], call: () => removeLimit('limit:all'), outcome: always },
  {
    name: 'set_queue',
    scenes: ['pending'],
    call: () => setQueue('default', { is_paused: true }),
    outcome: always,
    after: (standing) => ({ ...standing, isQueuePaused: true }),
  },
  {
    name: 'register_agent',
    scenes: ['running'],
    call: () =>
      registerAgent({ name: 'worker', queues: ['default'], levels: ['autonomous'], slots: 100, leaseSeconds: 600 }),
    outcome: always,
    after: (standing) => (standing.agent === 'gone' ? standing : agentIs('lost')(standing)),
  },
  { name: 'heartbeat_agent', scenes: ['running'], call: () => heartbeatAgent('worker.1', [claim]), outcome: ifAlive },
  {
    name: 'drain_agent',
    scenes: ['running'],
    call: () => drainAgent('worker.1'),
    outcome: ifAlive,
    after: agentIs('draining'),
  },
  {
    name: 'end_agent',
    scenes: ['running'],
    call: () => endAgent('worker.1'),
    outcome: ({ agent, job }) => when(agent !== 'gone' && [...held, ...holdingX].includes(job), 'has nothing to do'),
    alwaysChanges: true,
    after: (standing) => agentIs('gone')(released(standing)),
  },
  {
    name: 'sweep_agent',
    scenes: ['lost'],
    call: () => sweepAgent('worker.1'),
    outcome: ({ job, agent }) => when(agent === 'lost' && job === 'lost', 'has nothing to do'),
    after: (standing) => agentIs('gone')(released(standing)),
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
  { name: 'wake_patient_lanes', scenes: ['patient'], call: () => wakePatientLanes('', 200), outcome: always },
  { name: 'stop_reserving', scenes: ['reserving'], call: (lane) => stopReserving(lane), outcome: always },
  { name: 'collect_idle', scenes: ['idle'], call: () => collectIdle(), outcome: always },
  { name: 'prune_history', scenes: ['running'], call: () => pruneHistory(), outcome: always },
  { name: 'ensure_partitions', scenes: ['running'], call: () => ensurePartitions(), outcome: always },
]

export function standingOf(scene: SceneName): Standing {
  return {
    job: scene,
    agent: scene === 'lost' ? 'lost' : 'alive',
    isQueuePaused: scene === 'reserving',
    isIdTaken: false,
  }
}

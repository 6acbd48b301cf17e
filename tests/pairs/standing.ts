// What decides between two verbs that meet: how things stand, and what a verb makes of it.

import type { VerbCall } from '../commands/rule.ts'
import type { SceneName } from './scenes.ts'
import { isOfLock, type Subject } from './subjects.ts'

/** What a verb comes to, as far as the subject is concerned: a claim that starts another job has nothing to do with it. */
export type Outcome = 'takes effect' | 'has nothing to do' | 'is refused' | 'has to ask again'

/** Of the subject and of the agent that holds it, as much as decides between two verbs. */
export interface Standing {
  /** `claimed`: just now, so that the token that the others name is stale; `queued`: it waits behind the others. */
  readonly job: SceneName | 'ended' | 'claimed' | 'queued'
  readonly isLock: boolean
  /** Whether it is the run of a workflow. */
  readonly isExecution: boolean
  readonly agent: 'alive' | 'draining' | 'suspended' | 'lost' | 'gone'
  readonly isQueuePaused: boolean
  readonly isResourcePaused: boolean
  /** Of one that has ended: whether it was completed. */
  readonly hasCompleted: boolean
  /** What became of the first question; `asking` and `lent`: it is open, and nothing or something was given back for it. */
  readonly question: 'asking' | 'lent' | 'answered' | 'overdue' | 'recalled' | 'returning' | null
  /** Whether it has given back its model. */
  readonly hasLent: boolean
  /** Of the schedule `s`, where there is one: `set` to other times, or `planned` for a slot to come. */
  readonly schedule: 'due' | 'set' | 'planned' | 'paused' | null
  /** Whether it has the priority 0. */
  readonly isUrgent: boolean
  /** Whether the id `n` names a job. */
  readonly isIdTaken: boolean
}

export interface PairVerb {
  readonly name: string
  readonly scenes: readonly SceneName[]
  /** Where it meets a verb that is for manual locks alone; the same, unless set. */
  readonly lockScenes?: readonly SceneName[]
  readonly isForLocks?: true
  readonly call: (subject: Subject) => VerbCall
  /** What it comes to, alone in this standing. */
  readonly outcome: (standing: Standing) => Outcome
  /** The standing after it took effect. */
  readonly after?: (standing: Standing) => Standing
  /** It does so although it has nothing to do with the subject. */
  readonly alwaysChanges?: true
  /** It decides who is meant before it waits for anybody, and takes what became of them for its own. */
  readonly looksFirst?: true
}

export const current: readonly string[] = [
  ...['assigned', 'running', 'executing', 'stopping', 'lost'],
  ...['granted', 'locked', 'lapsed', 'marked'],
]
export const held: readonly string[] = [...current, 'claimed']
// The agent holds another job there.
export const holdingX: readonly string[] = ['patient', 'reserving']
export const waiting: readonly string[] = [
  ...['pending', 'queued', 'touched', 'expiring', 'patient', 'reserving', 'rated', 'closed'],
  ...['asked', 'unasked', 'lining'],
]
// Where its lane is awake, or nothing else holds what it needs once it was given back.
const startable: readonly string[] = ['pending', 'touched', 'expiring', 'asked', 'unasked']

export const always = (): Outcome => 'takes effect'
export const when = (isRight: boolean, otherwise: Outcome = 'is refused'): Outcome =>
  isRight ? 'takes effect' : otherwise
export const ifJobIs =
  (states: readonly string[], otherwise?: Outcome) =>
  ({ job }: Standing): Outcome =>
    when(states.includes(job), otherwise)
export const jobBecomes =
  (job: Standing['job']) =>
  (standing: Standing): Standing => ({ ...standing, job })
export const completed = (standing: Standing): Standing => ({ ...standing, job: 'ended', hasCompleted: true })

/** Its holder has given it back. */
export function released(standing: Standing): Standing {
  const { job, isLock } = standing
  if (job === 'stopping' || job === 'marked') return { ...standing, job: 'ended' }
  if (!held.includes(job)) return standing
  return { ...standing, job: isLock ? (job === 'lapsed' ? 'unasked' : 'asked') : 'pending' }
}

/** The agent that holds manual locks is no process, and nothing becomes of it. */
export const agentIs =
  (agent: Standing['agent']) =>
  (standing: Standing): Standing =>
    standing.isLock ? standing : { ...standing, agent }
export const ifProcess =
  (outcome: (standing: Standing) => Outcome) =>
  (standing: Standing): Outcome =>
    standing.isLock ? 'is refused' : outcome(standing)
export const ifAlive = ({ agent }: Standing): Outcome => when(agent !== 'lost' && agent !== 'gone')

/** A claim of the agent that may hold the subject already. */
export const ofClaim = (standing: Standing): Outcome => {
  if (ifAlive(standing) === 'is refused') return 'is refused'
  const isOpen = standing.agent === 'alive' && !standing.isQueuePaused && !standing.isResourcePaused
  return when(isOpen && startable.includes(standing.job), 'has nothing to do')
}

// Of the scenes that are not named after what the job is.
const jobIn: Partial<Record<SceneName, Standing['job']>> = {
  untold: 'running',
  parent: 'running',
  orphaned: 'ended',
  suspended: 'running',
  asking: 'running',
  lent: 'running',
  recalled: 'running',
  returning: 'running',
  overdue: 'running',
  struck: 'running',
  resting: 'running',
  idle: 'ended',
}

const isOfQuestion = (scene: SceneName) =>
  scene === 'asking' || scene === 'lent' || scene === 'overdue' || scene === 'recalled' || scene === 'returning'

export function standingOf(scene: SceneName): Standing {
  return {
    job: jobIn[scene] ?? scene,
    isLock: isOfLock(scene),
    isExecution: scene === 'executing',
    agent: scene === 'lost' || scene === 'suspended' ? scene : 'alive',
    isQueuePaused: scene === 'reserving',
    isResourcePaused: scene === 'closed',
    hasCompleted: scene === 'idle' || scene === 'orphaned',
    question: isOfQuestion(scene) ? scene : null,
    hasLent: isOfQuestion(scene) && scene !== 'asking',
    schedule: scene === 'struck' ? 'due' : scene === 'resting' ? 'paused' : null,
    isUrgent: false,
    isIdTaken: false,
  }
}

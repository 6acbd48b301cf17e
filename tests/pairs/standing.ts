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
  readonly agent: 'alive' | 'draining' | 'lost' | 'gone'
  readonly isQueuePaused: boolean
  readonly isResourcePaused: boolean
  /** Of one that has ended: whether it was completed. */
  readonly hasCompleted: boolean
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
export const ifAlive = ({ agent }: Standing): Outcome => when(agent === 'alive' || agent === 'draining')

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
  idle: 'ended',
}

export function standingOf(scene: SceneName): Standing {
  return {
    job: jobIn[scene] ?? scene,
    isLock: isOfLock(scene),
    isExecution: scene === 'executing',
    agent: scene === 'lost' ? 'lost' : 'alive',
    isQueuePaused: scene === 'reserving',
    isResourcePaused: scene === 'closed',
    hasCompleted: scene === 'idle' || scene === 'orphaned',
    isIdTaken: false,
  }
}

// What the steps of a history share: the stage, the latest observation, and how a verb is called.

import type { Scene } from './checks.ts'
import type { AgentSeen, JobSeen } from './observation.ts'
import type { Random } from './random.ts'
import type { Armed, Call, Session } from './session.ts'
import type { Setting } from './setting.ts'
import type { Stage } from './stage.ts'

/** Roughly how many failpoints a call of a verb passes. */
const usualHits: Readonly<Record<string, number>> = {
  claim_jobs: 45,
  claim_lane: 35,
  complete_jobs: 24,
  return_jobs: 30,
  fail_job: 28,
  end_agent: 32,
  sweep_agent: 32,
  absorb_touches: 10,
  set_limit: 9,
  remove_limit: 9,
  stop_reserving: 20,
}

/** Where little can be interleaved, few interruptions are spent. */
const rarely: ReadonlySet<string> = new Set([
  'enqueue_jobs',
  'set_queue',
  'set_priority',
  'delete_job',
  'heartbeat_agent',
])

export interface VerbCall {
  readonly verb: string
  /** As SQL: `$1, $2`, with casts where they are needed. */
  readonly parameters?: string
  readonly values?: readonly unknown[]
  /** The values as the transcript shows them, where they are not plain. */
  readonly shown?: string
  /** SQLSTATEs of refusals that may come. */
  readonly refusals?: readonly string[]
  readonly onRows?: (rows: readonly Record<string, unknown>[]) => string
}

export class World {
  readonly setting: Setting
  readonly stage: Stage
  /** Of this step only, so that a step left out does not change the others. */
  random: Random
  #scene: Scene
  /** By agent, how many times running a lane was contended. */
  readonly contended = new Map<string, Map<string, number>>()
  /** Claims whose completion was accepted. */
  readonly completed: { readonly job: string; readonly token: number }[] = []
  /** Claims that have ended, whose holders may still have something to say. */
  readonly lapsed: JobSeen[] = []
  jobsEnqueued = 0
  /** How many pauses were reached, by failpoint. */
  readonly pauses = new Map<string, number>()
  isArming = true

  constructor(setting: Setting, stage: Stage, random: Random, scene: Scene) {
    this.setting = setting
    this.stage = stage
    this.random = random
    this.#scene = scene
  }

  get scene(): Scene {
    return this.#scene
  }

  /** What the next steps choose from. */
  see(scene: Scene): void {
    const still = new Set(scene.seen.jobs.flatMap(({ id, token, isHeld }) => (isHeld ? [`${id} ${token}`] : [])))
    this.lapsed.push(...this.held().filter(({ id, token }) => !still.has(`${id} ${token}`)))
    this.#scene = scene
  }

  held(): JobSeen[] {
    return this.scene.seen.jobs.filter(({ isHeld }) => isHeld)
  }

  jobsThatAre(...statuses: readonly string[]): JobSeen[] {
    return this.scene.seen.jobs.filter(({ status }) => statuses.includes(status))
  }

  agents(): AgentSeen[] {
    return this.scene.seen.agents.filter(({ state }) => state !== 'gone')
  }

  /** Calls a verb of the engine in this session, perhaps to be interrupted inside. */
  async call(session: Session, call: VerbCall): Promise<void> {
    await this.stage.play(session, this.callOf(call))
    if (session.pausedAt !== null) this.pauses.set(session.pausedAt, (this.pauses.get(session.pausedAt) ?? 0) + 1)
  }

  callOf({ verb, parameters = '', values = [], shown, refusals = [], onRows }: VerbCall): Call {
    return {
      label: `${verb}(${shown ?? values.map((value) => (value === null ? '-' : String(value))).join(', ')})`,
      text: `select * from interlock.${verb}(${parameters})`,
      values,
      isVerb: true,
      armed: this.#arm(verb),
      onRows: onRows ?? (() => ''),
      onError: (state, message) => (refusals.includes(state) ? `${state} ${message}` : undefined),
    }
  }

  /** By place half of the time, else by name: so what is passed seldom gets its share too. */
  #arm(verb: string): Armed | undefined {
    const { random, setting, stage } = this
    const dice = random.next()
    const byName = random.chance(0.5)
    const name = (byName ? random.pick(stage.failpoints.get(verb) ?? []) : undefined) ?? ''
    const hits = byName ? random.whole(1, 2) : random.whole(1, usualHits[verb] ?? 8)
    const pauses =
      verb === setting.focus ? Math.max(0.6, setting.pauses) : rarely.has(verb) ? setting.pauses / 5 : setting.pauses
    if (!this.isArming || dice >= pauses + setting.crashes) return undefined
    return { hits, name, action: dice < pauses ? 'pause' : 'crash' }
  }
}

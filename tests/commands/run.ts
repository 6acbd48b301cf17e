// One run: the sessions, the model, and between them the judge. After each move, what ended together has to be explained by
// the model in some order, and the tables have to be what the model says.

import { checkAuditor, checkParked, checkSafety, Scene, Violated } from '../property/checks.ts'
import { Random } from '../property/random.ts'
import type { Armed, Session } from '../property/session.ts'
import type { Setting } from '../property/setting.ts'
import type { Stage } from '../property/stage.ts'
import { World, type VerbCall as WorldCall } from '../property/world.ts'
import { sweepAgent } from './agent-rules.ts'
import { checkSlots, differences } from './differences.ts'
import { absorbTouches, claimJobs, stopReserving, unservedReservers, wakePatientLanes } from './lane-rules.ts'
import { dueRates, wakeRate } from './limit-rules.ts'
import { Model } from './model.ts'
import { look, type Observed } from './observation.ts'
import { type Answer, describeAcceptance, describeAnswer, isRefused, type Row, type VerbCall } from './rule.ts'

/** A call that was made; null: it waits. */
export interface Called {
  readonly answer: Answer | null
}

interface Made extends Called {
  readonly call: VerbCall
  readonly session: Session
  isAlone: boolean
  readonly before: Model
  /** The transaction that it is part of, if it is a caller's own. */
  readonly transaction: OpenTransaction | null
  at: number | null
  answeredAt: number | null
  answer: Answer | null
}

interface OpenTransaction {
  /** What is its effect once it is committed, in order. */
  readonly made: Made[]
  isDoomed: boolean
}

export interface Pace {
  /** The auditor reads everything; where there are many looks every other one is enough, for what it finds stays. */
  readonly auditedOneIn: number
  /** Whether the clock goes on by a second with each look. */
  readonly ticks: boolean
}

export class Run extends World {
  model: Model
  #observed: Observed
  readonly #open = new Map<Session, OpenTransaction>()
  #started: Made[] = []
  /** Calls that wait, or pause inside. */
  readonly #underWay = new Set<Made>()
  #ended: Made[] = []
  /** How often each verb was called, and with what it was refused. */
  readonly tally = new Map<string, number>()
  #looks = 0
  /** Sessions that have the log locked, or wait to. */
  readonly #lockers = new Set<Session>()
  /** Commands that were run, those of the beginning and of the drain not counted. */
  commands = 0

  readonly #pace: Pace

  private constructor(setting: Setting, stage: Stage, observed: Observed, pace: Pace) {
    super(setting, stage, new Random(setting.seed), new Scene(observed.seen))
    this.isArming = false
    this.#observed = observed
    this.#pace = pace
    this.model = new Model(observed)
  }

  static async begin(setting: Setting, stage: Stage, pace: Pace = { auditedOneIn: 2, ticks: true }): Promise<Run> {
    return new Run(setting, stage, await look(stage, { audited: false, ticks: pace.ticks }), pace)
  }

  get observed(): Observed {
    return this.#observed
  }

  /** Sessions with a transaction of a caller's own that could do something more. */
  openSessions(): Session[] {
    return this.stage.inTransaction()
  }

  isDoomed(session: Session): boolean {
    return this.#open.get(session)?.isDoomed === true
  }

  /** Calls a verb; with `opens` in a transaction that is left open. Its answer may come later, when what it waits for has ended. */
  async perform(
    session: Session,
    call: VerbCall,
    { opens = false, armed }: { readonly opens?: boolean; readonly armed?: Armed } = {},
  ): Promise<Called> {
    const isAlone = this.stage.isQuiet
    // A batch has at most ten; ids of what is not committed are not given twice by chance.
    if (call.verb === 'enqueue_jobs') this.jobsEnqueued += 10
    if (opens) {
      await this.stage.play(session, { label: 'begin', text: 'begin', values: [], isVerb: false })
      session.isInTransaction = true
      this.#open.set(session, { made: [], isDoomed: false })
    }
    const transaction = this.#open.get(session) ?? null
    const made: Made = {
      call,
      session,
      isAlone,
      before: this.model,
      transaction,
      at: null,
      answeredAt: null,
      answer: null,
    }
    for (const other of this.#underWay) other.isAlone = false
    this.#underWay.add(made)
    this.#started.push(made)
    if (call.locksLog === true) this.#lockers.add(session)
    await this.stage.play(session, {
      label: `${call.verb}(${call.shown})`,
      text: `select * from interlock.${call.verb}(${call.parameters})`,
      values: call.values,
      isVerb: true,
      armed,
      onRows: (rows) => this.#end(made, { rows, state: null }),
      onError: (state, message) => this.#end(made, { rows: [], state, message }),
    })
    await this.#judge(null)
    return made
  }

  /** Lets a session go on from the failpoint at which it pauses. */
  async resume(session: Session): Promise<void> {
    await this.stage.resume(session)
    await this.#judge(null)
  }

  /** Ends a caller's transaction. */
  async close(session: Session, how: 'commit' | 'rollback'): Promise<void> {
    const transaction = this.#open.get(session)
    if (transaction === undefined) throw new Error(`${session.name} is in no transaction`)
    this.#open.delete(session)
    session.isInTransaction = false
    this.#lockers.delete(session)
    await this.stage.play(session, { label: how, text: how, values: [], isVerb: false })
    await this.#judge(how === 'commit' && !transaction.isDoomed ? transaction : null)
  }

  /** The calls of the drain, which are the property test's own, are judged like the others. */
  override async call(session: Session, { verb, values = [], onRows }: WorldCall): Promise<void> {
    const { answer } = await this.perform(session, callOf(verb, values))
    if (answer?.state === null) onRows?.(answer.rows)
  }

  #end(made: Made, answer: Answer): string {
    made.answer = answer
    this.#underWay.delete(made)
    if (made.transaction === null) this.#lockers.delete(made.session)
    this.#ended.push(made)
    if (answer.state !== null && made.transaction !== null) made.transaction.isDoomed = true
    const name = `${made.call.verb} ${answer.state ?? (isRefused(answer) ? 'refused' : describeAcceptance(answer))}`
    this.tally.set(name, (this.tally.get(name) ?? 0) + 1)
    return describeAnswer(answer)
  }

  async #judge(committed: OpenTransaction | null): Promise<void> {
    const before = this.#observed
    const audited = this.#looks++ % this.#pace.auditedOneIn === 0 && this.#lockers.size === 0
    const { ticks } = this.#pace
    const observed = await look(this.stage, { audited, ticks })
    for (const made of this.#started) made.at = observed.seen.now - (ticks ? 1 : 0)
    for (const made of this.#ended) made.answeredAt = observed.seen.now - (ticks ? 1 : 0)
    const ended = this.#ended
    this.#started = []
    this.#ended = []

    const explained = this.#explain(ended, committed, observed)
    checkSlots(explained, observed)
    this.model = explained
    for (const made of ended) if (made.answer?.state === null) made.transaction?.made.push(made)
    if (committed === null && ended.every(({ answer }) => answer === null || isRefused(answer)))
      expectUnchanged(before, observed)

    const scene = new Scene(observed.seen)
    checkSafety(new Scene(before.seen), scene)
    checkAuditor(scene)
    checkParked(scene)
    this.#observed = observed
    this.see(scene)
  }

  /** The model after what was committed and what ended, in the first order that explains all. */
  #explain(ended: readonly Made[], committed: OpenTransaction | null, observed: Observed): Model {
    let failure: Violated | null = null
    for (const order of orders(ended)) {
      try {
        const model = this.model.clone()
        for (const made of committed?.made ?? []) apply(made, model, observed, { isCommit: true })
        for (const made of order) this.#applyEnded(made, model, observed)
        const different = differences(model, observed)
        if (different.length > 0) throw new Violated('the tables disagree with the model', different.join('\n'))
        return model
      } catch (error) {
        if (!(error instanceof Violated)) throw error
        failure ??= error
      }
    }
    throw failure ?? new Error('nothing was tried')
  }

  /** What is not committed is asked of a model of its own transaction, and changes no other. */
  #applyEnded(made: Made, model: Model, observed: Observed): void {
    if (made.transaction === null) {
      apply(made, model, observed)
      return
    }
    const own = model.clone()
    for (const earlier of made.transaction.made) apply(earlier, own, null, { isCommit: true })
    apply(made, own, null)
  }
}

function apply(
  { call, at, answeredAt, answer, isAlone, before }: Made,
  model: Model,
  observed: Observed | null,
  { isCommit = false }: { readonly isCommit?: boolean } = {},
): void {
  if (at === null || answeredAt === null || answer === null) throw new Error(`${call.verb} has not ended`)
  try {
    call.rule({ model, at, answeredAt, answer, observed, isCommit, isAlone, before })
  } catch (error) {
    if (error instanceof Violated) throw new Violated(error.check, `${call.verb}(${call.shown}): ${error.message}`)
    throw error
  }
}

function* orders<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  if (items.length <= 1) {
    yield items
    return
  }
  for (const [n, item] of items.entries()) for (const rest of orders(items.toSpliced(n, 1))) yield [item, ...rest]
}

/** But for the time. */
function expectUnchanged(before: Observed, after: Observed): void {
  const fingerprint = (observed: Observed) =>
    JSON.stringify({ ...observed, seen: { ...observed.seen, now: 0, violations: [] } })
  if (fingerprint(before) !== fingerprint(after))
    throw new Violated('a refused call changed something', `${fingerprint(before)}\n${fingerprint(after)}`)
}

function callOf(verb: string, values: readonly unknown[]): VerbCall {
  const [first, second] = values
  switch (verb) {
    case 'absorb_touches':
      return absorbTouches(1000)
    case 'claim_jobs':
      return claimJobs(String(first), 1000)
    case 'wake_patient_lanes':
      return wakePatientLanes(String(first), Number(second ?? 200))
    case 'due_rates':
      return dueRates()
    case 'wake_rate':
      return wakeRate(String(first))
    case 'unserved_reservers':
      return unservedReservers()
    case 'stop_reserving':
      return stopReserving(String(first))
    case 'sweep_agent':
      return sweepAgent(String(first))
    default:
      throw new Error(`the model has no rule for ${verb}`)
  }
}

/** What was answered, where it was not refused. */
export function rowsOf({ answer }: Called): readonly Row[] {
  return answer?.rows ?? []
}

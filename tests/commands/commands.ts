// The commands that fast-check makes runs of. Each is one call of a verb from one of several connections, chosen by numbers
// that mean something only when its turn has come: the third of the jobs that run by then.

import fc from 'fast-check'
import { moveClock } from '../property/observation.ts'
import type { Session } from '../property/session.ts'
import type { Draw } from './candidates.ts'
import { verbs } from './choices.ts'
import type { VerbCall } from './rule.ts'
import type { Run } from './run.ts'

type Step = fc.AsyncCommand<Run, Run>

/** As it stands in a counterexample: what it did when it was last run, else what it would choose by. */
abstract class Named {
  label: string | null = null

  abstract readonly plan: string

  toString(): string {
    return this.label ?? this.plan
  }
}

class VerbCommand extends Named implements Step {
  readonly #name: string
  readonly #draw: Draw

  constructor(name: string, draw: Draw) {
    super()
    this.#name = name
    this.#draw = draw
  }

  get plan(): string {
    return `${this.#name} ${JSON.stringify(this.#draw)}`
  }

  check(run: Readonly<Run>): boolean {
    return this.#session(run) !== undefined && this.#call(run) !== null
  }

  async run(run: Run): Promise<void> {
    const call = this.#call(run)
    const session = this.#session(run)
    if (call === null || session === undefined) throw new Error('it was not checked')
    run.commands++
    this.label = `${session.name} ${this.#draw.opens ? 'begin; ' : ''}${call.verb}(${call.shown})`
    await run.perform(session, call, { opens: this.#draw.opens })
  }

  #session(run: Readonly<Run>): Session | undefined {
    const idle = run.stage.idle()
    return idle[this.#draw.session % Math.max(idle.length, 1)]
  }

  #call(run: Readonly<Run>): VerbCall | null {
    return verbs[this.#name]?.choose(run, this.#draw) ?? null
  }
}

/** Something more in a transaction that is open: enqueueing fits into any. */
class EnqueueInOpenCommand extends Named implements Step {
  readonly #draw: Draw

  constructor(draw: Draw) {
    super()
    this.#draw = draw
  }

  get plan(): string {
    return `enqueue in an open transaction ${JSON.stringify(this.#draw)}`
  }

  check(run: Readonly<Run>): boolean {
    return this.#session(run) !== undefined
  }

  async run(run: Run): Promise<void> {
    const session = this.#session(run)
    const call = verbs.enqueue?.choose(run, this.#draw)
    if (session === undefined || call === null || call === undefined) throw new Error('it was not checked')
    run.commands++
    this.label = `${session.name} ${call.verb}(${call.shown})`
    await run.perform(session, call)
  }

  #session(run: Readonly<Run>): Session | undefined {
    const open = run.openSessions().filter((session) => !run.isDoomed(session))
    return open[this.#draw.session % Math.max(open.length, 1)]
  }
}

class CloseCommand extends Named implements Step {
  readonly #session: number
  readonly #how: 'commit' | 'rollback'

  constructor(session: number, how: 'commit' | 'rollback') {
    super()
    this.#session = session
    this.#how = how
  }

  get plan(): string {
    return `${this.#how} of open transaction ${this.#session}`
  }

  check(run: Readonly<Run>): boolean {
    return run.openSessions().length > 0
  }

  async run(run: Run): Promise<void> {
    const open = run.openSessions()
    const session = open[this.#session % open.length]
    if (session === undefined) throw new Error('it was not checked')
    run.commands++
    this.label = `${session.name} ${this.#how}`
    await run.close(session, this.#how)
  }
}

class AdvanceClockCommand extends Named implements Step {
  readonly #seconds: number

  constructor(seconds: number) {
    super()
    this.#seconds = seconds
  }

  get plan(): string {
    return `the clock goes on by ${this.#seconds} s`
  }

  check(): boolean {
    return true
  }

  async run(run: Run): Promise<void> {
    run.commands++
    run.stage.note(null, this.plan)
    await moveClock(run.stage, this.#seconds)
  }
}

const draw = (isOpening: boolean): fc.Arbitrary<Draw> =>
  fc.record({
    session: fc.nat(3),
    opens: isOpening ? fc.integer({ min: 0, max: 7 }).map((n) => n === 7) : fc.constant(false),
    picks: fc.array(fc.nat(999), { minLength: 6, maxLength: 6 }),
  })

export function commandsOf(maxCommands: number, replayPath?: string): fc.Arbitrary<Iterable<Step>> {
  const commands: fc.Arbitrary<Step> = fc.oneof(
    ...Object.entries(verbs).map(([name, { weight, staysShort }]) => ({
      weight,
      arbitrary: draw(staysShort !== true).map((drawn) => new VerbCommand(name, drawn)),
    })),
    { weight: 4, arbitrary: draw(false).map((drawn) => new EnqueueInOpenCommand(drawn)) },
    {
      weight: 18,
      arbitrary: fc
        .tuple(fc.nat(3), fc.constantFrom('commit' as const, 'commit' as const, 'rollback' as const))
        .map(([session, how]) => new CloseCommand(session, how)),
    },
    {
      weight: 5,
      arbitrary: fc.constantFrom(1, 3, 10, 65, 400).map((seconds) => new AdvanceClockCommand(seconds)),
    },
  )
  return fc.commands([commands], {
    maxCommands,
    size: 'max',
    disableReplayLog: true,
    ...(replayPath === undefined ? {} : { replayPath }),
  })
}

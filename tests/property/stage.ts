// The sessions of a history, moved one at a time: after each move the stage waits until every session is idle, pauses at
// a failpoint, or waits for a lock of one that does. So the interleaving is the seed's choice and not the machine's.

import { setTimeout as sleep } from 'node:timers/promises'
import { crashState } from '../support/failpoints.ts'
import { Violated } from './checks.ts'
import { type Call, Session } from './session.ts'

// At two milliseconds or more: longer than any verb takes; what is still under way then hangs. Not a time of day, which goes on
// while a machine stands still.
const manyLooks = 5000

export class Stage {
  readonly sessions: readonly Session[]
  /** By verb, the failpoints that a call may come to. */
  readonly failpoints: ReadonlyMap<string, readonly string[]>
  readonly transcript: string[] = []
  readonly #controller: Session
  readonly #openGates = new Set<Session>()
  #change = Promise.withResolvers<void>()

  private constructor(controller: Session, sessions: readonly Session[], failpoints: Stage['failpoints']) {
    this.#controller = controller
    this.sessions = sessions
    this.failpoints = failpoints
  }

  static async open(url: string, count: number, failpoints: Stage['failpoints']): Promise<Stage> {
    let stage: Stage | null = null
    const changed = () => stage?.noticeChange()
    const names = ['controller', ...Array.from({ length: count }, (_, n) => `s${n + 1}`)]
    const [controller, ...sessions] = await Promise.all(names.map((name) => Session.open(name, url, changed)))
    if (controller === undefined) throw new Error('no controller')
    stage = new Stage(controller, sessions, failpoints)
    for (const session of sessions) await stage.#closeGate(session)
    return stage
  }

  noticeChange(): void {
    this.#change.resolve()
  }

  idle(): Session[] {
    return this.sessions.filter(({ state, isInTransaction }) => state === 'idle' && !isInTransaction)
  }

  inTransaction(): Session[] {
    return this.sessions.filter(({ state, isInTransaction }) => state === 'idle' && isInTransaction)
  }

  paused(): Session[] {
    return this.sessions.filter(({ state }) => state === 'paused')
  }

  /** Whether nothing is under way and no transaction is open. */
  get isQuiet(): boolean {
    return this.idle().length === this.sessions.length
  }

  /** What every session is doing, for the message of a failure. */
  states(): string[] {
    return this.sessions.map(
      ({ name, processId, state, call, pausedAt }) =>
        `${name} (${processId}) ${state} ${call?.label ?? ''} ${pausedAt ?? ''}`,
    )
  }

  /** A look at the database, outside the history. */
  look<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#controller.query<Row>(text, values)
  }

  /** Makes one move and waits until nothing more comes of it. */
  async play(session: Session, call: Call): Promise<void> {
    this.note(session, call.label)
    session.start(call)
    await this.settle()
  }

  /** Lets a session go on from the failpoint at which it pauses. */
  async resume(session: Session): Promise<void> {
    this.note(session, `goes on from ${session.pausedAt}`)
    session.state = 'busy'
    session.pausedAt = null
    // Closed again when its call has ended: it may not have come to its gate yet.
    this.#openGates.add(session)
    await this.#controller.query('select pg_advisory_unlock($1::integer, $2::integer)', session.gate)
    await this.settle()
  }

  note(session: Session | null, text: string): void {
    this.transcript.push(`${session?.name ?? '--'} ${text}`)
  }

  async close(): Promise<void> {
    await Promise.all([this.#controller, ...this.sessions].map((session) => session.close()))
  }

  /** Waits until nothing more comes of what was started. */
  async settle(): Promise<void> {
    for (let looks = 0; ; looks++) {
      // Whoever ended may have let others go on.
      if (this.#takeEnded()) {
        for (const session of this.sessions) if (session.state === 'waiting') session.state = 'busy'
      }
      for (const session of this.#openGates) if (session.state === 'idle') await this.#closeGate(session)
      const busy = this.sessions.filter(({ state }) => state === 'busy')
      if (busy.length === 0) return
      if (looks > manyLooks) throw new Violated('a verb hangs', await this.#explainBusy(busy))
      this.#change = Promise.withResolvers<void>()
      if (this.sessions.some(({ state }) => state === 'busy')) {
        await Promise.race([this.#change.promise, sleep(2)])
      }
      await this.#findWaiting()
    }
  }

  async #closeGate(session: Session): Promise<void> {
    this.#openGates.delete(session)
    await this.#controller.query('select pg_advisory_lock($1::integer, $2::integer)', session.gate)
  }

  #takeEnded(): boolean {
    let any = false
    for (const session of this.sessions) {
      const ended = session.takeEnded()
      if (ended === null) continue
      any = true
      const { call, rows, error } = ended
      if (error === null) {
        const answer = call.onRows?.(rows) ?? ''
        if (answer !== '') this.note(session, `  -> ${answer}`)
        continue
      }
      const {
        code = '',
        message,
        detail = '',
        where = '',
      } = error as Error & Record<'code' | 'detail' | 'where', string>
      const refusal = code === crashState ? message : call.onError?.(code, message)
      if (refusal === undefined) {
        throw new Violated(
          `a verb failed with ${code}`,
          [`${session.name} ${call.label}: ${message}`, detail, where, ...this.states()].join('\n'),
        )
      }
      this.note(session, `  -> ${refusal}`)
    }
    return any
  }

  /** Busy sessions that wait for a lock of a paused one or of an open transaction will not end by themselves. */
  async #findWaiting(): Promise<void> {
    const isStill = () => this.sessions.some(({ state, isInTransaction }) => state === 'paused' || isInTransaction)
    const busy = this.sessions.filter(({ state }) => state === 'busy')
    if (busy.length === 0 || !isStill()) return
    const rows = await this.#controller.query<{ pid: number; blockers: number[] }>(
      'select p.pid, pg_blocking_pids(p.pid) as blockers from unnest($1::integer[]) as p (pid)',
      [busy.map(({ processId }) => processId)],
    )
    const blockers = new Map(rows.map(({ pid, blockers }) => [pid, blockers]))
    const still = new Set(
      this.sessions
        .filter(
          ({ state, isInTransaction }) =>
            state === 'paused' || state === 'waiting' || (state === 'idle' && isInTransaction),
        )
        .map(({ processId }) => processId),
    )
    for (let grew = true; grew; ) {
      grew = false
      for (const session of busy) {
        if (session.state !== 'busy' || still.has(session.processId)) continue
        const by = blockers.get(session.processId) ?? []
        if (by.length === 0 || !by.every((pid) => still.has(pid))) continue
        session.state = 'waiting'
        this.note(session, `  waits for ${by.map((pid) => this.#nameOf(pid)).join(', ')}`)
        still.add(session.processId)
        grew = true
      }
    }
  }

  async #explainBusy(busy: readonly Session[]): Promise<string> {
    const rows = await this.#controller.query(
      `select p.pid, a.wait_event_type, a.wait_event, left(a.query, 60) as query, pg_blocking_pids(p.pid) as blockers
       from unnest($1::integer[]) as p (pid)
       left join pg_stat_activity as a on a.pid = p.pid`,
      [busy.map(({ processId }) => processId)],
    )
    return [...this.states(), ...rows.map((row) => JSON.stringify(row))].join('\n')
  }

  #nameOf(processId: number): string {
    return this.sessions.find((session) => session.processId === processId)?.name ?? `process ${processId}`
  }
}

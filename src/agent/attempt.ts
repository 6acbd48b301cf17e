import { setTimeout as sleep } from 'node:timers/promises'
import type { Assignment } from '../domain/assignment.ts'
import { isInterlockError } from '../domain/errors.ts'
import { parseControlLine } from '../domain/job-protocol.ts'
import { storableText } from '../domain/storable-text.ts'
import { findTask, type TaskTable } from '../domain/task-table.ts'
import type { AttemptStore, HeldJob, Verdict } from '../store/attempts.ts'
import { after, within } from '../store/deadline.ts'
import type { AgentLog } from './agent-log.ts'
import { Asking, type QuestionStore } from './asking.ts'
import { AttemptReport } from './attempt-report.ts'
import { ElapsedProgress } from './elapsed-progress.ts'
import { startOf } from './job-start.ts'
import type { Keeper, KeptProcess } from './keeper.ts'
import type { Lease } from './lease.ts'
import { judgeExit, judgeStop, type Outcome, type StopReason, stopReasons } from './outcome.ts'
import { isRefused, type OutcomeStore, writeOutcome } from './outcome-writing.ts'
import type { Line } from './output-lines.ts'

export interface StartStore {
  readonly startJob: (job: HeldJob) => Promise<Verdict>
}

/** What an attempt needs of its agent. */
export interface AttemptSurroundings {
  readonly keeper: Keeper
  readonly lease: Lease
  readonly tasks: TaskTable
  readonly log: AgentLog
  readonly store: OutcomeStore &
    Pick<AttemptStore, 'appendOutput' | 'reportProgress' | 'reportStep' | 'heartbeatJob'> &
    StartStore
  readonly questions: QuestionStore
  /** The assignment with its payload readable. Throws where that cannot be. */
  readonly unseal: (assignment: Assignment) => Assignment
  /** What every job inherits. */
  readonly environment: Readonly<Record<string, string>>
  /** Where a job may call back; null: nowhere. */
  readonly url: string | null
  /** Between SIGTERM and SIGKILL when there is no hurry. */
  readonly stopGraceMs: number
  /** The same when there is: the lock or the token is lost. */
  readonly hurryGraceMs: number
}

const callMsMax = 30_000
const reportEndMsMax = 5000
const retryMsMin = 100
const retryMsMax = 2000

/**
 * One attempt at one job: a pipeline over one immutable assignment.
 *
 *     confirm the start -> run the process -> judge how it ended -> send the last output -> finish, once
 *
 * The outcome is a value, and one verb tells it to the database: complete, fail, confirm the cancelling, return; or
 * none, when the claim is not ours any more. A database that is away is asked again until the lease is over.
 */
export class Attempt {
  readonly assignment: Assignment
  readonly key: string
  /** How it ended; never rejected. */
  readonly done: Promise<Outcome>
  readonly #around: AttemptSurroundings
  readonly #report: AttemptReport
  #stopReason: StopReason | null = null
  #isFinishing = false
  /** Said once a job: it may print a million of them. */
  #isMisunderstood = false
  #process: KeptProcess | null = null
  #asking: Asking | null = null
  #elapsed: ElapsedProgress | null = null
  #result: Line | null = null
  #error: Line | null = null

  constructor(assignment: Assignment, around: AttemptSurroundings) {
    this.assignment = assignment
    this.key = keyOf(assignment)
    this.#around = around
    this.#report = new AttemptReport({
      job: assignment,
      store: around.store,
      log: around.log,
      onStale: () => this.stop('stale_token'),
      onFull: (isFull) => (isFull ? this.#process?.pause() : this.#process?.resume()),
    })
    this.done = this.#run()
  }

  /** Ends its process, if there is one yet. A weightier reason replaces a lighter one; what has ended has ended. */
  stop(reason: StopReason): void {
    const before = this.#stopReason
    if (before !== null && stopReasons.indexOf(before) >= stopReasons.indexOf(reason)) return
    this.#stopReason = reason
    if (this.#isFinishing) return
    this.#around.log.info({ ...this.#names, reason }, 'job is stopped')
    this.#process?.stop(this.#graceMs)
  }

  /** What is being stopped is given no more time than this. */
  hurry(graceMs: number): void {
    this.#process?.stop(graceMs)
  }

  get #names(): { readonly jobId: string; readonly token: number; readonly task: string } {
    const { jobId, token, task } = this.assignment
    return { jobId, token, task }
  }

  get #graceMs(): number {
    const { stopGraceMs, hurryGraceMs } = this.#around
    const mayWait = ['drained', 'timeout', 'stalled', 'cancelled'].includes(this.#stopReason ?? '')
    return mayWait ? stopGraceMs : Math.min(stopGraceMs, hurryGraceMs)
  }

  async #run(): Promise<Outcome> {
    let outcome: Outcome
    try {
      outcome = (await this.#confirmStart()) ?? (await this.#perform())
    } catch (error) {
      this.#around.log.error({ ...this.#names, error }, 'attempt broke down')
      this.#process?.stop(this.#around.hurryGraceMs)
      await this.#process?.exit
      outcome = { kind: 'failed', retry: 'auto', error: { message: 'its agent broke down', code: 'agent_error' } }
    }
    return this.#finish(outcome)
  }

  /** Null when it may be started. */
  async #confirmStart(): Promise<Outcome | null> {
    const verdict = await this.#untilAnswered('starting', () => this.#around.store.startJob(this.assignment))
    if (verdict !== 'unanswered' && !verdict.accepted) {
      if (verdict.reason === 'cancel_requested') return { kind: 'cancelled', error: null }
      return { kind: 'forgotten', reason: 'stale_token' }
    }
    return judgeStop(this.#stopReason, this.#timeoutSeconds) ?? (verdict === 'unanswered' ? leaseLost : null)
  }

  async #perform(): Promise<Outcome> {
    const task = findTask(this.#around.tasks, this.assignment.task)
    const readable = this.#unseal()
    if (readable === null) {
      const message = 'its payload is encrypted, and this agent cannot read it'
      return { kind: 'failed', retry: 'auto', error: { message, code: 'payload_unreadable' } }
    }
    const start = task === null ? null : startOf(this.key, readable, task, this.#around)
    if (start === null) {
      const message = `this agent does not know the task ${this.assignment.task}`
      return { kind: 'failed', retry: 'never', error: { message, code: 'unknown_task' } }
    }
    const kept = this.#around.keeper.run(start, {
      onOutput: (stream, text) => this.#report.output(stream, text),
      onControl: (line) => this.#obey(line),
    })
    this.#process = kept
    this.#asking = new Asking({
      job: this.assignment,
      store: this.#around.questions,
      log: this.#around.log,
      deliver: start.isInputOpen === true ? (line) => kept.write(line) : null,
      onStale: () => this.stop('stale_token'),
    })
    this.#around.log.info({ ...this.#names, attempt: this.assignment.attempt }, 'job started')
    const callOff = after(this.#timeoutSeconds * 1000, () => this.stop('timeout'))
    this.#elapsed = ElapsedProgress.of(task, readable.payload, (percent) => this.#report.progress(percent, null))
    const exit = await kept.exit
    callOff()
    this.#asking.end()
    this.#elapsed?.stop()
    if (exit.strays > 0)
      this.#around.log.warn({ ...this.#names, strays: exit.strays }, 'ended what the job had left running')
    if (exit.left > 0)
      this.#around.log.error({ ...this.#names, left: exit.left }, 'processes of the job cannot be ended')
    return judgeExit({
      exit,
      stopReason: this.#stopReason,
      result: this.#result,
      error: this.#error,
      timeoutSeconds: this.#timeoutSeconds,
      memoryMb: start.memoryMb ?? null,
      isModule: start.hasChannel,
    })
  }

  /** Here and no sooner: the assignment that is kept, logged and told of stays as it is stored. */
  #unseal(): Assignment | null {
    try {
      return this.#around.unseal(this.assignment)
    } catch (error) {
      this.#around.log.error({ ...this.#names, error }, 'the payload cannot be read')
      return null
    }
  }

  get #timeoutSeconds(): number {
    const task = findTask(this.#around.tasks, this.assignment.task)
    return Math.min(this.assignment.timeoutSeconds, task?.timeoutSeconds ?? Number.POSITIVE_INFINITY)
  }

  #obey(line: Line): void {
    const control = parseControlLine(line.text)
    if (control.kind === 'progress') {
      this.#elapsed?.stop()
      this.#report.progress(control.percent, control.description === null ? null : storableText(control.description))
    } else if (control.kind === 'step') this.#report.step(storableText(control.name))
    else if (control.kind === 'heartbeat') this.#report.heartbeat()
    else if (control.kind === 'result') this.#result = { text: control.json, isCut: line.isCut }
    else if (control.kind === 'ask') this.#asking?.ask({ text: control.json, isCut: line.isCut })
    else if (control.kind === 'error') this.#error = { text: control.json, isCut: line.isCut }
    else if (!this.#isMisunderstood) {
      this.#isMisunderstood = true
      this.#around.log.warn({ ...this.#names, line: line.text.slice(0, 200) }, 'a control line says nothing known')
    }
  }

  async #finish(outcome: Outcome): Promise<Outcome> {
    this.#isFinishing = true
    if (outcome.kind === 'forgotten') {
      this.#report.abandon()
      return this.#tell(outcome)
    }
    await this.#report.end(reportEndMsMax)
    // The output was refused, or the agent lost its right meanwhile: then so is this.
    const overruled = judgeStop(this.#stopReason, this.#timeoutSeconds)
    if (overruled?.kind === 'forgotten') return this.#tell(overruled)
    const answer = await this.#untilAnswered('finishing', () =>
      writeOutcome(this.#around.store, this.assignment, outcome),
    ).catch((error: unknown) => this.#finishOtherwise(outcome, error))
    return this.#tell(answer === 'unanswered' ? leaseLost : answer)
  }

  // The database would not have it as it is. Left alone, the job would go back, run again and come to the same end.
  async #finishOtherwise(outcome: Outcome, error: unknown): Promise<Outcome> {
    if (isRefused(error)) return { kind: 'forgotten', reason: 'stale_token' }
    this.#around.log.error({ ...this.#names, outcome: outcome.kind, error }, 'the end of a job was refused')
    const message = `its end (${outcome.kind}) was refused: ${error instanceof Error ? error.message : String(error)}`
    const failure: Outcome = { kind: 'failed', retry: 'never', error: { message, code: 'end_refused' } }
    return await writeOutcome(this.#around.store, this.assignment, failure).catch(() => leaseLost)
  }

  #tell(outcome: Outcome): Outcome {
    const fields = { ...this.#names, outcome: outcome.kind }
    const { log } = this.#around
    if (outcome.kind === 'failed')
      log.warn({ ...fields, code: outcome.error.code, reason: outcome.error.message }, 'job failed')
    else if (outcome.kind === 'forgotten') log.warn({ ...fields, reason: outcome.reason }, 'job is not ours any more')
    else log.info(fields, `job ${outcome.kind}`)
    return outcome
  }

  /** The answer; or that there was none before the lease was over, or the job was to be forgotten. */
  async #untilAnswered<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer | 'unanswered'> {
    for (let waitMs = retryMsMin; ; waitMs = Math.min(waitMs * 2, retryMsMax)) {
      if (judgeStop(this.#stopReason, 0)?.kind === 'forgotten' || this.#around.lease.isOver) return 'unanswered'
      try {
        return await within(callMsMax, what, ask())
      } catch (error) {
        if (!isInterlockError(error, 'unavailable')) throw error
        const isFirst = waitMs === retryMsMin
        if (isFirst) this.#around.log.warn({ ...this.#names, error }, `${what} a job has to wait: the database is away`)
      }
      await sleep(waitMs * (0.5 + Math.random() / 2))
    }
  }
}

const leaseLost: Outcome = Object.freeze({ kind: 'forgotten', reason: 'lease_lost' })

/** Names a claim among all. */
export function keyOf({ jobId, token }: HeldJob): string {
  return `${jobId}/${token}`
}

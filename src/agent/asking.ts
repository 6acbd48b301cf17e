import { setTimeout as sleep } from 'node:timers/promises'
import { InterlockError, isInterlockError } from '../domain/errors.ts'
import { jobLimits, jsonLine } from '../domain/job-protocol.ts'
import { type AnswerLine, answerLine, checkAsked, refusalLine } from '../domain/job-question.ts'
import type { Question } from '../domain/question.ts'
import type { ReplyView } from '../domain/question-view.ts'
import { parseStorableJson } from '../domain/storable-text.ts'
import type { HeldJob } from '../store/attempts.ts'
import type { AgentLog } from './agent-log.ts'
import type { Line } from './output-lines.ts'

export interface QuestionStore {
  readonly ask: (job: HeldJob, question: Question, key: string) => Promise<string>
  /** When there is something to go on with. */
  readonly reply: (requestId: string, signal: AbortSignal) => Promise<ReplyView>
}

export interface AskingOptions {
  readonly job: HeldJob
  readonly store: QuestionStore
  readonly log: AgentLog
  /** Hands a line to the process; null: it reads none, and asks for its answer over HTTP. */
  readonly deliver: ((line: string) => void) | null
  /** The token was refused. */
  readonly onStale: () => void
}

const againMs = 500
/** A process that prints questions without end is not to fill our memory; the database takes no more either. */
const askedAtOnce = 32

/** The questions of one attempt: asked in its job's name, each under a key, so that a lost answer does not ask it twice. */
export class Asking {
  readonly #options: AskingOptions
  readonly #ending = new AbortController()
  #asked = 0
  #open = 0

  constructor(options: AskingOptions) {
    this.#options = options
  }

  ask(line: Line): void {
    this.#asked += 1
    void this.#answer(line, `ask-${this.#asked}`).catch((error: unknown) => {
      if (this.#ending.signal.aborted) return
      this.#options.log.error({ jobId: this.#options.job.jobId, error }, 'a question of a job is lost')
    })
  }

  /** Waits for no answer any more. */
  end(): void {
    this.#ending.abort()
  }

  async #answer(line: Line, key: string): Promise<void> {
    const asked = line.isCut ? null : parseStorableJson(line.text, { bytesMax: jobLimits.resultBytes })
    const json = asked?.ok === true ? asked.json : null
    const id = idOf(json)
    try {
      if (json === null) throw new InterlockError('invalid_argument', 'a question must be a JSON object')
      if (this.#open >= askedAtOnce) {
        throw new InterlockError('illegal_transition', `${askedAtOnce} questions are open already`)
      }
      this.#open += 1
      try {
        await this.#askAndWait(id, checkAsked(json).question, key)
      } finally {
        this.#open -= 1
      }
    } catch (error) {
      if (isInterlockError(error, 'stale_token') || isInterlockError(error, 'job_not_found')) this.#options.onStale()
      else if (isRefusal(error)) this.#refuse(id, error)
      else throw error
    }
  }

  async #askAndWait(id: string | null, question: Question, key: string): Promise<void> {
    const { job, store, deliver } = this.#options
    const { signal } = this.#ending
    const requestId = await this.#insist(() => store.ask(job, question, key))
    if (deliver === null) return
    const reply = await this.#insist(() => store.reply(requestId, signal))
    // Closed is what ended otherwise: whoever ends the claim ends the process, too.
    if (!signal.aborted && (reply.status === 'answered' || reply.status === 'expired')) this.#say(answerLine(id, reply))
  }

  #refuse(id: string | null, { code, message, field }: InterlockError): void {
    const { deliver, job, log } = this.#options
    if (deliver === null) log.warn({ jobId: job.jobId, code, reason: message }, 'a question of a job was refused')
    else this.#say(refusalLine(id, { code, message, field }))
  }

  #say(line: AnswerLine): void {
    this.#options.deliver?.(jsonLine(line))
  }

  async #insist<Result>(call: () => Promise<Result>): Promise<Result> {
    const { signal } = this.#ending
    for (;;) {
      try {
        return await call()
      } catch (error) {
        signal.throwIfAborted()
        if (!isInterlockError(error, 'unavailable')) throw error
      }
      await sleep(againMs * (0.5 + Math.random()), undefined, { signal })
    }
  }
}

function isRefusal(error: unknown): error is InterlockError {
  return isInterlockError(error, 'invalid_argument') || isInterlockError(error, 'illegal_transition')
}

function idOf(json: unknown): string | null {
  const { id } = (typeof json === 'object' && json !== null ? json : {}) as { readonly id?: unknown }
  return typeof id === 'string' ? id.slice(0, 100) : null
}

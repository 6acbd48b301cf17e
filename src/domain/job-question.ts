import { z } from 'zod'
import { checkContract } from './contract.ts'
import { checkQuestion, type Question, type QuestionType, questionFields, type ResponseType } from './question.ts'
import type { ReplyView } from './question-view.ts'

const line = z.looseObject({ id: z.string().min(1).max(100).optional(), type: questionFields.request_type })

/** A question as a job's process asks it: `::interlock ask {"type": "approval", "message": "Deploy?"}`. */
export interface AskedByProcess {
  /** What the process calls it; the answer says the same. */
  readonly id: string | null
  readonly question: Question
}

/** Throws a ContractError that names every field that is wrong. */
export function checkAsked(json: unknown): AskedByProcess {
  const { id, type, ...fields } = checkContract(line, json)
  return { id: id ?? null, question: checkQuestion(type === undefined ? fields : { ...fields, request_type: type }) }
}

/** What the process reads for it: a line of JSON on its stdin. */
export interface AnswerLine {
  /** The `id` of the question; null where it had none. */
  readonly ask: string | null
  readonly request_id: string | null
  /** `refused`: it was not asked; `error` says why. */
  readonly status: 'answered' | 'expired' | 'refused'
  readonly type: ResponseType | null
  readonly message: string
  readonly instructions: readonly string[]
  readonly responder_id: string | null
  readonly generated_by: 'human' | 'automated' | null
  /** Of what was given back and is held again, by resource. */
  readonly fences: Readonly<Record<string, number>>
  readonly error: { readonly code: string; readonly message: string; readonly field: string | null } | null
}

const nothing = {
  request_id: null,
  type: null,
  message: '',
  instructions: [],
  responder_id: null,
  generated_by: null,
  fences: {},
  error: null,
} as const

export function answerLine(ask: string | null, { request_id, response, fences }: ReplyView): AnswerLine {
  if (response === null) return { ...nothing, ask, request_id, fences, status: 'expired' }
  const { response_type: type, message, instructions, responder_id, generated_by } = response
  return {
    ask,
    request_id,
    status: 'answered',
    type,
    message,
    instructions,
    responder_id,
    generated_by,
    fences,
    error: null,
  }
}

export function refusalLine(ask: string | null, error: NonNullable<AnswerLine['error']>): AnswerLine {
  return { ...nothing, ask, status: 'refused', message: error.message, error }
}

/** A question as a module asks it. */
export interface TaskQuestion {
  readonly message: string
  /** `question` unless set. */
  readonly type?: QuestionType
  /** What helps to answer it. */
  readonly context?: Readonly<Record<string, unknown>>
  /** How long the answer may take; as the queue says unless set. */
  readonly expiresInSeconds?: number
  readonly conversationId?: string
  readonly parentMessageId?: string
  /** Until ask() returns others may use its models, and this task must not. */
  readonly releaseModels?: boolean
  /** The same of these, and then of all that it needs after them in resource order. */
  readonly releaseResources?: readonly string[]
}

/** What a module is told. Only `type` says what was decided: an approval that nobody gave in time has none. */
export interface TaskAnswer {
  readonly requestId: string
  readonly status: 'answered' | 'expired'
  readonly type: ResponseType | null
  readonly message: string
  readonly instructions: readonly string[]
  readonly responder: string | null
  readonly generatedBy: 'human' | 'automated' | null
}

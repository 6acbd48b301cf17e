// What a rule is: what a verb has to answer, asked of the model, and what it changes there.

import { Violated } from '../property/checks.ts'
import type { Model } from './model.ts'
import type { Observed } from './observation.ts'

export type Row = Readonly<Record<string, unknown>>

/** What came of a call. */
export type Answer =
  | { readonly rows: readonly Row[]; readonly state: null }
  | { readonly rows: readonly []; readonly state: string; readonly message: string }

export interface Situation {
  readonly model: Model
  /** When the call began, in seconds: the verbs ask for the time first. */
  readonly at: number
  /** When it was answered: later, where it had to wait. */
  readonly answeredAt: number
  readonly answer: Answer
  /** What is committed now; null while the call is not. */
  readonly observed: Observed | null
  /** The model when the call began: what it only reads it may have read then. */
  readonly before: Model
  /** It was judged when it was answered, and is committed now: what it only read may have changed meanwhile. */
  readonly isCommit: boolean
  /** Whether nobody else was under way, so that nothing can have been locked. */
  readonly isAlone: boolean
}

/** Throws where the answer is not what it has to be; else changes the model as the verb changes the tables. */
export type Rule = (situation: Situation) => void

/** A call of a verb, and its rule. */
export interface VerbCall {
  readonly verb: string
  readonly parameters: string
  readonly values: readonly unknown[]
  readonly shown: string
  readonly rule: Rule
  /** It locks the log itself: the auditor would wait until it is committed. */
  readonly locksLog?: true
}

export function disagree(detail: string): never {
  throw new Violated('an answer disagrees with the model', detail)
}

/** The refusal that has to come. */
export function expectRefusal({ answer }: Situation, state: string): void {
  if (answer.state !== state) disagree(`it had to be refused with ${state}, and was ${describeAnswer(answer)}`)
}

/** These rows have to come, as far as their fields are named. */
export function expectRows({ answer }: Situation, expected: readonly Row[]): void {
  const actual = answer.rows.map((row, n) =>
    Object.fromEntries(Object.keys(expected[n] ?? {}).map((field) => [field, row[field]])),
  )
  if (answer.state !== null || JSON.stringify(actual) !== JSON.stringify(expected))
    disagree(`${JSON.stringify(expected)} had to come, and ${describeAnswer(answer)} did`)
}

/** The one refusal that is not the domain's own: what it looked at has changed before it was locked, and it has to be asked again. */
export function isBeaten({ answer, isAlone }: Situation): boolean {
  return answer.state === '40001' && !isAlone
}

/** The one row that has to have come, whatever is in it. */
export function theRow({ answer }: Situation): Row {
  const [row] = answer.rows
  if (row === undefined) disagree(`it had to be accepted, and was ${describeAnswer(answer)}`)
  return row
}

export function describeAnswer(answer: Answer): string {
  if (answer.state !== null) return `refused with ${answer.state} (${answer.message})`
  return JSON.stringify(answer.rows)
}

/** What became of what was asked for, where the verb says so in a word. */
export function describeAcceptance({ rows: [row] }: Answer): string {
  const word = row?.status ?? row?.state
  return typeof word === 'string' ? `accepted: ${word}` : 'accepted'
}

/** Whether a call came to anything: nothing was refused, and something was done. */
export function isRefused(answer: Answer): boolean {
  return answer.state !== null || (answer.rows.length > 0 && answer.rows.every(({ accepted }) => accepted === false))
}

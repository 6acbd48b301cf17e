import type { QuestionType, RequestStatus, ResponseType } from './question.ts'

/** What the doors answer about questions: JSON, snake_case, ISO 8601 times. */

/** A question with its answer, as it stands now. */
export interface RequestView {
  readonly id: string
  readonly status: RequestStatus
  readonly job_id: string
  readonly task: string
  readonly user: string | null
  readonly agent_id: string | null
  readonly request_type: QuestionType
  readonly message: string
  readonly context: Readonly<Record<string, unknown>>
  readonly conversation_id: string
  readonly parent_message_id: string | null
  readonly created_at: string
  readonly expires_at: string
  readonly settled_at: string | null
  /** What the job has given back until it is answered; null: nothing. */
  readonly given_back: readonly string[] | null
  /** It does not hold it again yet, and its worker is told of no answer so long. */
  readonly is_away: boolean
  readonly response: ResponseView | null
}

export interface ResponseView {
  readonly id: string
  readonly response_type: ResponseType
  readonly message: string
  readonly instructions: readonly string[]
  readonly generated_by: 'human' | 'automated'
  readonly responder_id: string | null
  readonly created_at: string
}

/** What the one who asked is told. `open` as long as there is nothing to go on with. */
export interface ReplyView {
  readonly request_id: string
  readonly status: RequestStatus
  readonly response: ResponseView | null
  /** Of what was given back and is held again, by resource: hand them on in the place of the former ones. */
  readonly fences: Readonly<Record<string, number>>
}

export interface RequestPage {
  readonly requests: readonly RequestView[]
  readonly next_cursor: string | null
}

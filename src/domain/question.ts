import { z } from 'zod'
import { checkContract } from './contract.ts'
import { jobRequestFields } from './job-request.ts'
import { maxResourcesPerJob } from './resource.ts'

export const questionTypes = ['clarification', 'approval', 'question'] as const
export const responseTypes = ['answer', 'instruction', 'approval', 'rejection'] as const
export const requestStatuses = ['open', 'answered', 'expired', 'closed'] as const

export type QuestionType = (typeof questionTypes)[number]
export type ResponseType = (typeof responseTypes)[number]
/** `closed`: the claim that asked is over. */
export type RequestStatus = (typeof requestStatuses)[number]

export const maxMessageLength = 16_384
const maxContextBytes = 64 * 1024

const context = z.record(z.string(), z.unknown()).superRefine((value, issues) => {
  const bytes = Buffer.byteLength(JSON.stringify(value))
  if (bytes <= maxContextBytes) return
  issues.addIssue({ code: 'custom', message: `is ${bytes} bytes of JSON; the limit is ${maxContextBytes} (64 KiB)` })
})

/** The fields of a question, as every door takes them. */
export const questionFields = {
  request_type: z.enum(questionTypes).optional(),
  message: z.string().min(1).max(maxMessageLength),
  context: context.optional(),
  expires_in_seconds: z.int().min(1).max(2_592_000).optional(),
  conversation_id: z.string().min(1).max(200).optional(),
  parent_message_id: z.string().min(1).max(200).optional(),
  release_models: z.boolean().optional(),
  release_resources: jobRequestFields.resources.unwrap().min(1).max(maxResourcesPerJob).optional(),
} as const

const question = z.strictObject(questionFields).superRefine((asked, issues) => {
  if (asked.release_models !== true || asked.release_resources === undefined) return
  issues.addIssue({ code: 'custom', path: ['release_resources'], message: 'cannot stand beside release_models' })
})

/** What a running job asks a person, and what it gives back until it is answered. */
export type Question = z.output<typeof question>

/** Throws a ContractError that names every field that is wrong. */
export function checkQuestion(body: unknown): Question {
  return checkContract(question, body)
}

/** The fields of an answer, as every door takes them. Whether its type fits the question, the database says. */
export const responseFields = {
  response_type: z.enum(responseTypes).optional(),
  message: z.string().max(maxMessageLength).optional(),
  instructions: z.array(z.string().min(1).max(4096)).max(100).optional(),
  generated_by: z.enum(['human', 'automated']).optional(),
  responder_id: z.string().min(1).max(200).optional(),
} as const

const response = z.strictObject(responseFields)

export type Response = z.output<typeof response>

/** Throws a ContractError that names every field that is wrong. */
export function checkResponse(body: unknown): Response {
  return checkContract(response, body)
}

import { z } from 'zod'
import { checkContract } from '../domain/contract.ts'
import { jobStatuses } from '../domain/job.ts'
import { jobFilterFields } from '../domain/job-filter.ts'
import { requestStatuses } from '../domain/question.ts'
import type { EventQuery, JobQuery, RequestQuery } from './transport.ts'

/** What a coordinator refuses in a query, for who asks the database itself: a misspelt filter would filter nothing. */

const text = z.string().min(1).max(200)
const cursor = z.string().max(15_000)

const jobQuery = z.strictObject({
  ...jobFilterFields,
  status: z.union([z.enum(jobStatuses).transform((one) => [one]), z.array(z.enum(jobStatuses)).min(1)]).optional(),
  limit: z.int().min(1).max(500).default(50),
  cursor: cursor.optional(),
})

const requestQuery = z.strictObject({
  status: z.enum(requestStatuses).optional(),
  job: text.optional(),
  conversation: text.optional(),
  limit: z.int().min(1).max(1000).default(100),
  cursor: cursor.optional(),
})

const eventQuery = z.strictObject({
  since: cursor.min(1).optional(),
  job: text.optional(),
  user: text.optional(),
  queue: text.optional(),
  event_types: z.array(z.string().min(1).max(40)).min(1).max(100).optional(),
})

export function checkJobQuery(query: JobQuery): z.output<typeof jobQuery> {
  return checkContract(jobQuery, query)
}

export function checkRequestQuery(query: RequestQuery): z.output<typeof requestQuery> {
  return checkContract(requestQuery, query)
}

export function checkEventQuery(query: EventQuery): z.output<typeof eventQuery> {
  return checkContract(eventQuery, query)
}

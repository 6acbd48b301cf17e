import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { type JobSelection, jobSelectionFields } from '../../domain/job-filter.ts'
import { changeJobs } from '../../store/bulk-changes.ts'
import { listDeadLetters } from '../../store/dead-letters.ts'
import { jobQueryFields, wholeNumber } from '../query.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'
import { bulkFields } from './bulk-changes.ts'

const listQuery = z.strictObject({
  ...jobQueryFields,
  error: z.string({ error: 'must be given once' }).min(1).max(1000).optional(),
  limit: wholeNumber({ min: 1, max: 1000 }).default(100),
})
const { status: _status, ...deadFields } = jobSelectionFields
const change = z.strictObject({ ...deadFields, ...bulkFields })

/** What failed for good, by its error; and what becomes of it. */
export function deadLetterRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'GET', path: '/dead-letters', scope: 'read', answer: list },
    { method: 'POST', path: '/dead-letters/requeue', scope: 'operate', answer: (call) => changeDead(call, 'requeue') },
    { method: 'POST', path: '/dead-letters/clear', scope: 'operate', answer: (call) => changeDead(call, 'delete') },
  ]

  async function list({ request }: Call): Promise<Answer> {
    const { limit, ...filter } = checkContract(listQuery, { ...request.query })
    return { status: 200, body: await listDeadLetters(database, filter, limit) }
  }

  async function changeDead({ request, signal, actorOf }: Call, what: 'requeue' | 'delete'): Promise<Answer> {
    const asked = checkContract(change, request.body ?? {})
    const { dry_run: dryRun, cursor, reason, actor, ...filter } = asked
    // The state alone would be a filter already: that all are meant has to be said here, too.
    const selection: JobSelection = Object.keys(filter).length === 0 ? {} : { ...filter, status: ['failed'] }
    return {
      status: 200,
      body: await changeJobs(database, what, selection, { dryRun, cursor, reason, actor: actorOf(actor), signal }),
    }
  }
}

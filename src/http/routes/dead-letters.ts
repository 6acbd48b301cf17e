import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { deadLetters } from '../../domain/dead-letter.ts'
import { bulkAnswer, type JobSelection, jobSelectionFields } from '../../domain/job-filter.ts'
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
    {
      method: 'GET',
      path: '/dead-letters',
      scope: 'read',
      name: 'list_dead_letters',
      summary: 'What failed for good, grouped by its error, the most frequent first, each with the latest of its jobs.',
      query: listQuery,
      answers: { 200: deadLetters },
      answer: list,
    },
    {
      method: 'POST',
      path: '/dead-letters/requeue',
      scope: 'operate',
      name: 'requeue_dead_letters',
      summary:
        'Lets the dead letters that a filter names run again; without a filter, all has to be said, and dry_run shows which.',
      body: change,
      answers: { 200: bulkAnswer },
      answer: (call) => changeDead(call, 'requeue'),
    },
    {
      method: 'POST',
      path: '/dead-letters/clear',
      scope: 'operate',
      name: 'clear_dead_letters',
      summary:
        'Deletes the dead letters that a filter names; without a filter, all has to be said, and dry_run shows which.',
      effect: 'destroy',
      body: change,
      answers: { 200: bulkAnswer },
      answer: (call) => changeDead(call, 'delete'),
    },
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

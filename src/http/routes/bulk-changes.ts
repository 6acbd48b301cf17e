import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { liveStatuses } from '../../domain/job.ts'
import { type BulkChange, bulkAnswer, type JobSelection, jobSelectionFields } from '../../domain/job-filter.ts'
import { jobRequestFields } from '../../domain/job-request.ts'
import { priorityNumber } from '../../domain/priority.ts'
import { changeJobs } from '../../store/bulk-changes.ts'
import { meant } from '../query.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

/** What a call that changes many says beside its filter. */
export const bulkFields = {
  dry_run: z.boolean().default(false),
  cursor: z.string().min(1).max(128).optional(),
  ...motiveFields,
} as const

// Text with commas is taken too; what is said is the list, with its words.
meant.add(jobSelectionFields.status.unwrap(), {
  type: 'array',
  items: { type: 'string', enum: [...liveStatuses] },
  minItems: 1,
})

const change = z.strictObject({ ...jobSelectionFields, ...bulkFields })
const priorityChange = z.strictObject({
  ...jobSelectionFields,
  ...bulkFields,
  priority: jobRequestFields.priority.unwrap(),
})

/** Changes of all the jobs that a filter names; next_cursor says that there are more than one call could look at. */
export function bulkChangeRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/jobs/cancel',
      scope: 'operate',
      name: 'cancel_jobs',
      summary:
        'Cancels every job that fits a filter, or all: what waits at once, what runs is asked to stop; dry_run only counts.',
      effect: 'destroy',
      body: change,
      answers: { 200: bulkAnswer },
      answer: (call) => changeMany(call, 'cancel'),
    },
    {
      method: 'POST',
      path: '/jobs/requeue',
      scope: 'operate',
      name: 'requeue_jobs',
      summary:
        'Puts the dead letters that fit a filter back in line, with status scheduled also what waits for its time; dry_run only counts.',
      body: change,
      answers: { 200: bulkAnswer },
      answer: (call) => changeMany(call, 'requeue'),
    },
    {
      method: 'POST',
      path: '/jobs/priority',
      scope: 'operate',
      name: 'set_job_priorities',
      summary: 'Gives every waiting job that fits a filter another priority; dry_run only counts.',
      body: priorityChange,
      answers: { 200: bulkAnswer },
      answer: reprioritiseMany,
    },
  ]

  function changeMany({ request, signal, actorOf }: Call, what: 'cancel' | 'requeue'): Promise<Answer> {
    const { dry_run: dryRun, cursor, reason, actor, ...selection } = checkContract(change, request.body ?? {})
    return answer(what, selection, { dryRun, cursor, reason, actor: actorOf(actor), signal })
  }

  function reprioritiseMany({ request, signal, actorOf }: Call): Promise<Answer> {
    const asked = checkContract(priorityChange, request.body ?? {})
    const { dry_run: dryRun, cursor, reason, actor, priority, ...selection } = asked
    return answer('priority', selection, {
      dryRun,
      cursor,
      reason,
      actor: actorOf(actor),
      signal,
      priority: priorityNumber(priority),
    })
  }

  async function answer(
    what: BulkChange,
    selection: JobSelection,
    options: Parameters<typeof changeJobs>[3],
  ): Promise<Answer> {
    return { status: 200, body: await changeJobs(database, what, selection, options) }
  }
}

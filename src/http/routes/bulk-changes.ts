import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { type BulkChange, type JobSelection, jobSelectionFields } from '../../domain/job-filter.ts'
import { jobRequestFields } from '../../domain/job-request.ts'
import { priorityNumber } from '../../domain/priority.ts'
import { changeJobs } from '../../store/bulk-changes.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'
import { motiveFields } from './job-changes.ts'

/** What a call that changes many says beside its filter. */
export const bulkFields = {
  dry_run: z.boolean().default(false),
  cursor: z.string().min(1).max(128).optional(),
  ...motiveFields,
} as const

const change = z.strictObject({ ...jobSelectionFields, ...bulkFields })
const priorityChange = z.strictObject({
  ...jobSelectionFields,
  ...bulkFields,
  priority: jobRequestFields.priority.unwrap(),
})

/** Changes of all the jobs that a filter names; next_cursor says that there are more than one call could look at. */
export function bulkChangeRoutes({ database }: Services): readonly Route[] {
  return [
    { method: 'POST', path: '/jobs/cancel', scope: 'operate', answer: (call) => changeMany(call, 'cancel') },
    { method: 'POST', path: '/jobs/requeue', scope: 'operate', answer: (call) => changeMany(call, 'requeue') },
    { method: 'POST', path: '/jobs/priority', scope: 'operate', answer: reprioritiseMany },
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

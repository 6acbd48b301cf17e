import type { Database } from '../../src/store/database.ts'
import { readHistory } from '../demo/history.ts'
import type { Finding } from './checks/finding.ts'
import { checkLog } from './checks/log.ts'
import { checkLoss, type JobPlace } from './checks/loss.ts'
import type { History } from './history.ts'
import type { Workspace } from './workspace.ts'

const memoryMiB = 400

/** What the tables, the log, the clients' history and the jobs' own store say together. */
export async function judge(database: Database, history: History, workspace: Workspace): Promise<readonly Finding[]> {
  const places = await database.query<JobPlace & object>(`
    select coalesce(j.id, h.job_id) as "jobId", j.status as live, coalesce(h.outcomes, '{}') as outcomes,
      (select count(*)::int from interlock.job_results as r where r.job_id = coalesce(j.id, h.job_id) and r.result is not null) as results
    from interlock.jobs as j
    full join (select t.job_id, array_agg(t.outcome order by t.finished_at) as outcomes from interlock.task_history as t group by t.job_id) as h
      on h.job_id = j.id`)
  return [
    ...checkLog(await readHistory(database, 0)),
    ...checkLoss(history.events, places),
    ...workspace.lines('overlaps').map((what): Finding => ({ invariant: 'X', what })),
    ...history.events.flatMap((event): Finding[] =>
      event.kind === 'memory' && event.residentMiB > memoryMiB
        ? [{ invariant: 'B', what: `${event.name} used ${event.residentMiB} MiB` }]
        : [],
    ),
  ]
}

/** How much happened: a run in which nothing did proves nothing. */
export function countsOf({ events }: History, workspace: Workspace): Record<string, number> {
  const count = (test: (event: (typeof events)[number]) => boolean) => events.filter(test).length
  return {
    accepted: count((event) => event.kind === 'answered' && event.what === 'enqueue' && event.answer === 'accepted'),
    unknown: count((event) => event.kind === 'answered' && event.answer === 'unknown'),
    faults: count((event) => event.kind === 'fault' && event.detail === undefined),
    attempts: workspace.lines('journal').filter((line) => line.startsWith('begin')).length,
    refused_by_fence: workspace.lines('refused').length,
  }
}

import type { QueueSnapshot } from '../domain/queue-status.ts'
import type { Queryable } from './queryable.ts'

/** Everything at a glance, at one instant, its lists cut at `listLimit`. Its cost does not grow with what waits. */
export async function readQueueSnapshot(queryable: Queryable, listLimit: number): Promise<QueueSnapshot> {
  const [row] = await queryable.query<{ readonly snapshot: QueueSnapshot }>(
    'select interlock.queue_snapshot($1) as snapshot',
    [listLimit],
  )
  if (row === undefined) throw new TypeError('queue_snapshot answered without a row')
  return row.snapshot
}

/** History is counted up to this many rows; beyond, the server's statistics tell. */
const countedRows = 10_000

/** How many jobs the history has as completed. */
export async function countCompleted(
  queryable: Queryable,
): Promise<{ readonly count: number; readonly isEstimated: boolean }> {
  const [row] = await queryable.query<{ readonly counted: number; readonly completed: number; readonly kept: number }>(
    `select count(*) as counted, count(*) filter (where h.outcome = 'completed') as completed,
      (select coalesce(sum(pg_stat_get_live_tuples(i.inhrelid)), 0)::bigint
       from pg_inherits as i
       where i.inhparent = 'interlock.task_history'::regclass) as kept
    from (
      select t.outcome
      from interlock.task_history as t
      order by t.finished_at desc
      limit $1
    ) as h`,
    [countedRows],
  )
  if (row === undefined) throw new TypeError('a count answered without a row')
  if (row.counted < countedRows) return { count: row.completed, isEstimated: false }
  return { count: Math.round((row.completed / row.counted) * Math.max(row.kept, row.counted)), isEstimated: true }
}

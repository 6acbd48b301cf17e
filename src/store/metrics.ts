import type { MetricsSnapshot } from '../domain/metrics-snapshot.ts'
import type { Queryable } from './queryable.ts'

/** All figures of the database, at one instant. Its cost grows neither with what waits nor with what has ended. */
export async function readMetricsSnapshot(queryable: Queryable): Promise<MetricsSnapshot> {
  const [row] = await queryable.query<{ readonly snapshot: MetricsSnapshot }>(
    'select interlock.metrics_snapshot() as snapshot',
    [],
    'metrics_snapshot',
  )
  if (row === undefined) throw new TypeError('metrics_snapshot answered without a row')
  return row.snapshot
}

/** Counts what the log says since it was counted last; returns through how many of its numbers it went. */
export async function countEvents(queryable: Queryable, limit: number): Promise<number> {
  const [row] = await queryable.query<{ readonly n: number }>(
    'select interlock.count_events($1) as n',
    [limit],
    'count_events',
  )
  return row?.n ?? 0
}

/** [measure, queue, outcome, bucket, total, seconds]: a row of interlock.event_totals. */
export type EventTotal = readonly [
  measure: 'enqueued' | 'ended' | 'duration' | 'wait' | 'retried' | 'lost' | 'agent_lost',
  queue: string,
  outcome: string,
  bucket: number,
  total: number,
  seconds: number,
]

/** What interlock.metrics_snapshot() says: figures of the database, the same on every coordinator. */
export interface MetricsSnapshot {
  readonly totals: readonly EventTotal[]
  readonly counted_seconds_ago: number
  readonly queues: readonly string[]
  readonly is_estimated: boolean
  readonly counts: readonly { readonly queue: string; readonly status: string; readonly count: number }[]
  /** In seconds, by queue. */
  readonly oldest_waits: Readonly<Record<string, number>>
  readonly slots: readonly { readonly kind: string; readonly state: string; readonly count: number }[]
  readonly agents: Readonly<Record<'idle' | 'busy' | 'suspended' | 'draining', number>>
  readonly agent_slots: Readonly<Record<'used' | 'free', number>>
  /** Null where no agent lives. */
  readonly agent_load: Readonly<Record<'least' | 'mean' | 'most', number | null>>
  readonly alarms: Readonly<Record<string, number>>
  readonly oldest_snapshot_seconds: number
  readonly oldest_xmin_age: number
}

/** The bounds of interlock.histogram_bounds(); a test compares them. */
export const histogramBounds = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400] as const

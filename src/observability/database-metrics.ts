import { Counter, Gauge, Registry } from 'prom-client'
import { alarmRules } from '../domain/alarm.ts'
import { liveStatuses } from '../domain/job.ts'
import type { EventTotal, MetricsSnapshot } from '../domain/metrics-snapshot.ts'
import { type CountedHistogram, registerHistogram } from './counted-histogram.ts'

type Labels = Readonly<Record<string, string>>
type Figure = readonly [labels: Labels, value: number]

/** Under which name an outcome is counted: what failed is alarming, what somebody called off is not. */
const endings = [
  {
    name: 'jobs_completed_total',
    help: 'Jobs that were completed, by queue.',
    outcomes: ['completed'],
  },
  {
    name: 'jobs_failed_total',
    help: 'Jobs that failed for good, or expired before they were started, by queue.',
    outcomes: ['failed', 'expired'],
  },
  {
    name: 'jobs_cancelled_total',
    help: 'Jobs that somebody called off, by queue: cancelled, or deleted.',
    outcomes: ['cancelled', 'deleted'],
  },
] as const

/**
 * The figures of the database in Prometheus' words. Counters are those of interlock.event_totals: the same on every
 * coordinator, and no restart sets them back. A queue that has none yet shows 0, so that a rate is known from the first
 * job on. Labels are queues, outcomes, states and kinds, never the id of a job or a user.
 */
export function databaseMetrics(snapshot: MetricsSnapshot): Registry {
  const registry = new Registry()
  addCounters(registry, snapshot)
  addQueues(registry, snapshot)
  addAgents(registry, snapshot)
  addDatabase(registry, snapshot)
  return registry
}

function addCounters(registry: Registry, { totals, queues, counted_seconds_ago: behind }: MetricsSnapshot): void {
  const of = (measure: EventTotal[0]) => totals.filter((total) => total[0] === measure)
  const perQueue = (outcome: string): Figure[] => queues.map((queue) => [{ queue, outcome }, 0])
  counter(registry, 'jobs_enqueued_total', 'Jobs that were enqueued, by queue.', [
    ...queues.map((queue): Figure => [{ queue }, 0]),
    ...of('enqueued').map(([, queue, , , total]): Figure => [{ queue }, total]),
  ])
  for (const { name, help, outcomes } of endings) {
    counter(registry, name, help, [
      ...outcomes.flatMap(perQueue),
      ...of('ended')
        .filter(([, , outcome]) => (outcomes as readonly string[]).includes(outcome))
        .map(([, queue, outcome, , total]): Figure => [{ queue, outcome }, total]),
    ])
  }
  counter(registry, 'jobs_retried_total', 'Attempts that failed and are made again.', sumOf(of('retried')))
  counter(registry, 'jobs_lost_total', 'Claims that were taken back from agents that were given up.', sumOf(of('lost')))
  counter(registry, 'leases_expired_total', 'Agents that were given up, by what was gone.', [
    ...['lease', 'connection', 'superseded'].map((reason): Figure => [{ reason }, 0]),
    ...of('agent_lost').map(([, , reason, , total]): Figure => [{ reason }, total]),
  ])
  registerHistogram(registry, {
    name: 'job_duration_seconds',
    help: 'How long the last attempts of ended jobs ran, by queue and outcome.',
    series: seriesOf(of('duration'), ([, queue, outcome]) => ({ queue, outcome })),
  })
  registerHistogram(registry, {
    name: 'job_wait_seconds',
    help: 'How long ended jobs that were started once had been pending, by queue.',
    series: seriesOf(of('wait'), ([, queue]) => ({ queue })),
  })
  gauge(registry, 'counters_behind_seconds', 'By how much the counters above lag behind the log.', [[{}, behind]])
}

function addQueues(registry: Registry, snapshot: MetricsSnapshot): void {
  const { queues, counts, oldest_waits: waits, slots, is_estimated: isEstimated } = snapshot
  const states = liveStatuses.filter((status) => status !== 'failed')
  gauge(registry, 'queue_depth', 'Unfinished jobs, by queue and state.', [
    ...queues.flatMap((queue) => states.map((state): Figure => [{ queue, state }, 0])),
    ...counts
      .filter(({ status }) => status !== 'failed')
      .map(({ queue, status: state, count }): Figure => [{ queue, state }, count]),
  ])
  gauge(registry, 'queue_depth_is_estimated', 'Whether there are so many jobs that queue_depth is an estimate.', [
    [{}, isEstimated ? 1 : 0],
  ])
  gauge(registry, 'dead_letters', 'Jobs that failed for good and that nobody has dealt with, by queue.', [
    ...queues.map((queue): Figure => [{ queue }, 0]),
    ...counts.filter(({ status }) => status === 'failed').map(({ queue, count }): Figure => [{ queue }, count]),
  ])
  gauge(registry, 'queue_oldest_waiting_seconds', 'For how long the oldest pending job waits, by queue.', [
    ...queues.map((queue): Figure => [{ queue }, 0]),
    ...Object.entries(waits).map(([queue, seconds]): Figure => [{ queue }, seconds]),
  ])
  gauge(
    registry,
    'resource_slots',
    'Slots of resources, by kind: held by jobs, reserved for who is next, and free of what has a limit of its own.',
    slots.map(({ kind, state, count }): Figure => [{ kind, state }, count]),
  )
}

function addAgents(registry: Registry, { agents, agent_slots: slots, agent_load: load }: MetricsSnapshot): void {
  const byKey = (label: string, values: Readonly<Record<string, number | null>>) =>
    Object.entries(values).flatMap(([key, value]): Figure[] => (value === null ? [] : [[{ [label]: key }, value]]))
  gauge(registry, 'agents', 'Agents that are alive, by state.', byKey('state', agents))
  gauge(registry, 'agent_slots', 'Jobs that they run at once, and could run besides.', byKey('state', slots))
  gauge(registry, 'agent_load', 'The load score of agents, 0 to 100: the least, the mean, the most.', byKey('of', load))
}

function addDatabase(registry: Registry, snapshot: MetricsSnapshot): void {
  const { alarms, oldest_snapshot_seconds: seconds, oldest_xmin_age: age } = snapshot
  gauge(registry, 'alarms', 'Alarms that are raised, by rule.', [
    ...alarmRules.map((rule): Figure => [{ rule }, 0]),
    ...Object.entries(alarms).map(([rule, count]): Figure => [{ rule }, count]),
  ])
  gauge(registry, 'oldest_snapshot_seconds', 'How long the oldest transaction has kept the past alive.', [
    [{}, seconds],
  ])
  gauge(registry, 'oldest_xmin_age_transactions', 'By how many transactions the oldest snapshot lies back.', [
    [{}, age],
  ])
}

function sumOf(totals: readonly EventTotal[]): Figure[] {
  return [[{}, totals.reduce((sum, total) => sum + total[4], 0)]]
}

function seriesOf(totals: readonly EventTotal[], labelsOf: (total: EventTotal) => Labels): CountedHistogram['series'] {
  const series = new Map<string, { labels: Labels; buckets: Map<number, number>; seconds: number }>()
  for (const total of totals) {
    const labels = labelsOf(total)
    const key = JSON.stringify(labels)
    const found = series.get(key) ?? { labels, buckets: new Map<number, number>(), seconds: 0 }
    found.buckets.set(total[3], total[4])
    found.seconds += total[5]
    series.set(key, found)
  }
  return [...series.values()]
}

function counter(registry: Registry, name: string, help: string, figures: readonly Figure[]): void {
  const made = new Counter({ name, help, labelNames: labelNamesOf(figures), registers: [registry] })
  for (const [labels, value] of figures) made.inc(labels, value)
}

function gauge(registry: Registry, name: string, help: string, figures: readonly Figure[]): void {
  const made = new Gauge({ name, help, labelNames: labelNamesOf(figures), registers: [registry] })
  for (const [labels, value] of figures) made.set(labels, value)
}

function labelNamesOf(figures: readonly Figure[]): string[] {
  return Object.keys(figures[0]?.[0] ?? {})
}

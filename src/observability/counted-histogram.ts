import type { Metric, Registry } from 'prom-client'
import { histogramBounds } from '../domain/metrics-snapshot.ts'

/** A histogram that was counted elsewhere: prom-client's own only takes observations one by one. */
export interface CountedHistogram {
  readonly name: string
  readonly help: string
  readonly series: readonly {
    readonly labels: Readonly<Record<string, string>>
    /** How many lie after so many of the bounds, and before the next. */
    readonly buckets: ReadonlyMap<number, number>
    readonly seconds: number
  }[]
}

export function registerHistogram(registry: Registry, { name, help, series }: CountedHistogram): void {
  const values = series.flatMap(({ labels, buckets, seconds }) => {
    let below = 0
    const counted = [...histogramBounds.map(String), '+Inf'].map((le, place) => {
      below += buckets.get(place) ?? 0
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below }
    })
    return [
      ...counted,
      { metricName: `${name}_sum`, labels, value: seconds },
      { metricName: `${name}_count`, labels, value: below },
    ]
  })
  // All that a registry asks of a metric is this object.
  const metric = { name, get: async () => ({ name, help, type: 'histogram', values, aggregator: 'sum' }) }
  registry.registerMetric(metric as unknown as Metric)
}

import { Gauge, Registry } from 'prom-client'
import type { MetricsSnapshot } from '../domain/metrics-snapshot.ts'
import { databaseMetrics } from './database-metrics.ts'
import { processMetrics } from './process-metrics.ts'

/** What a door knows of its own connections. */
export interface ConnectionFigures {
  readonly total: number
  readonly idle: number
  readonly waiting: number
  readonly isListening: boolean
}

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE

/** All metrics as text. Without a snapshot, where the database gave none, what the process knows. */
export async function metricsText(snapshot: MetricsSnapshot | null, connections: ConnectionFigures): Promise<string> {
  const parts = [processMetrics(), connectionMetrics(connections, snapshot !== null)]
  if (snapshot !== null) parts.unshift(databaseMetrics(snapshot))
  const texts = await Promise.all(parts.map((part) => part.metrics()))
  return texts.join('\n')
}

function connectionMetrics({ total, idle, waiting, isListening }: ConnectionFigures, isUp: boolean): Registry {
  const registry = new Registry()
  const registers = [registry]
  const connections = new Gauge({
    name: 'database_connections',
    help: 'Connections in the pool of this process, and callers that wait for one.',
    labelNames: ['state'],
    registers,
  })
  connections.set({ state: 'used' }, total - idle)
  connections.set({ state: 'idle' }, idle)
  connections.set({ state: 'waiting' }, waiting)
  new Gauge({
    name: 'database_listen_connected',
    help: 'Whether the connection of this process that listens is there.',
    registers,
  }).set(isListening ? 1 : 0)
  new Gauge({
    name: 'database_up',
    help: 'Whether the database answered this process; if not, its figures are missing here.',
    registers,
  }).set(isUp ? 1 : 0)
  return registry
}

import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import { hearClaims, hearStaleWrites } from './happenings.ts'

let registry: Registry | null = null

/**
 * What this process knows and no other: its claims, the stale writes that it refused, its memory, its event loop. Begun
 * anew with each process, as counters of a process are: Prometheus keeps the processes apart by `instance`. One registry
 * for the process, for the figures of Node's own are those of the process, whoever asks.
 */
export function processMetrics(): Registry {
  registry ??= createRegistry()
  return registry
}

function createRegistry(): Registry {
  const made = new Registry()
  collectDefaultMetrics({ register: made })
  const claims = new Counter({
    name: 'claims_total',
    help: 'Claims that this process made for agents, by whether they gave jobs, gave none, or met locks.',
    labelNames: ['result'],
    registers: [made],
  })
  for (const result of ['some', 'none', 'contended']) claims.inc({ result }, 0)
  const claimSeconds = new Histogram({
    name: 'claim_duration_seconds',
    help: 'How long the claims of this process took, the way to the database included.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [made],
  })
  const staleWrites = new Counter({
    name: 'stale_writes_refused_total',
    help: 'Writes under an old fencing token that were refused to callers of this process.',
    registers: [made],
  })
  hearClaims(({ seconds, result }) => {
    claims.inc({ result })
    claimSeconds.observe(seconds)
  })
  hearStaleWrites((count) => staleWrites.inc(count))
  return made
}

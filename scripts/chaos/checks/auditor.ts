import type { Recorded } from '../history.ts'
import type { Finding } from './finding.ts'

const looksMin = 3
const lastingMs = 250

/**
 * A violation that was seen at several looks in a row and for a while. By the view's own word there should be none at
 * any moment; what is there at one look only is counted, and not judged.
 */
export function checkAuditor(history: readonly Recorded[]): readonly Finding[] {
  const seen = new Map<string, { looks: number; last: number; sinceMs: number }>()
  const lasting = new Map<string, number>()
  for (const event of history) {
    if (event.kind !== 'looked') continue
    for (const violation of event.violations) {
      const before = seen.get(violation)
      const isOn = before !== undefined && before.last === event.look - 1
      const now = isOn
        ? { looks: before.looks + 1, last: event.look, sinceMs: before.sinceMs }
        : { looks: 1, last: event.look, sinceMs: event.atMs }
      seen.set(violation, now)
      const forMs = event.atMs - now.sinceMs
      if (now.looks >= looksMin && forMs >= lastingMs)
        lasting.set(violation, Math.max(forMs, lasting.get(violation) ?? 0))
    }
  }
  return [...lasting].map(([violation, forMs]) => ({
    invariant: 'A',
    what: `the auditor saw for ${forMs} ms: ${violation}`,
  }))
}

/** How many violations were seen in passing. */
export function passingViolations(history: readonly Recorded[]): number {
  return history.reduce((sum, event) => sum + (event.kind === 'looked' ? event.violations.length : 0), 0)
}

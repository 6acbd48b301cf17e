import { endsOf, type LogEvent } from '../history.ts'
import { judge, type Verdict } from './verdict.ts'

export type Ending = 'completed' | 'failed'

/** Every job has ended exactly once, and as it was expected to. */
export function checkEndings(log: readonly LogEvent[], expected: ReadonlyMap<string, Ending>): Verdict {
  const contradictions = [...expected].flatMap(([jobId, ending]) => {
    const ends = endsOf(log, jobId).map(({ to }) => to)
    if (ends.length === 1 && ends[0] === ending) return []
    return [`${jobId} should be ${ending} once; it is ${ends.length === 0 ? 'not ended' : ends.join(', then ')}`]
  })
  const counts = (['completed', 'failed'] as const).map(
    (ending) => `${[...expected.values()].filter((one) => one === ending).length} ${ending}`,
  )
  if (expected.size === 0) contradictions.push('there were no jobs')
  return judge('every job ended exactly once, as expected', contradictions, [counts.join(', ')])
}

/** Each event of a job begins where the one before it ended. */
export function checkTransitions(log: readonly LogEvent[]): Verdict {
  const state = new Map<string, string | null>()
  let steps = 0
  const contradictions: string[] = []
  for (const { id, type, jobId, from, to } of log) {
    if (jobId === null || to === null) continue
    const before = state.get(jobId) ?? null
    if (before !== from) contradictions.push(`event ${id}, ${type}: ${jobId} was ${before}, not ${from}`)
    state.set(jobId, to)
    steps += 1
  }
  if (steps === 0) contradictions.push('the log is empty')
  return judge('the log has no gap: each event of a job begins where the last one ended', contradictions, [
    `${steps} events`,
  ])
}

import type { Recorded } from '../history.ts'
import type { Finding } from './finding.ts'

/** Where a job is: in jobs with a status, or in task_history with an outcome; a dead letter is in both. */
export interface JobPlace {
  readonly jobId: string
  readonly live: string | null
  readonly outcomes: readonly string[]
  readonly results: number
}

/**
 * Every job that was acknowledged is in exactly one place; one that was refused is in none; of an unknown one both is
 * right. Nothing else is there.
 */
export function checkLoss(history: readonly Recorded[], places: readonly JobPlace[]): readonly Finding[] {
  const answers = new Map<string, Set<string>>()
  for (const event of history) {
    if (event.kind !== 'answered' || event.what !== 'enqueue') continue
    answers.set(event.jobId, (answers.get(event.jobId) ?? new Set()).add(event.answer))
  }
  const byId = new Map(places.map((place) => [place.jobId, place]))
  const findings: Finding[] = []
  for (const [jobId, said] of answers) {
    const place = byId.get(jobId)
    if (said.has('accepted') && place === undefined)
      findings.push({ invariant: 'L', what: `${jobId} was acknowledged and is nowhere` })
    if (!said.has('accepted') && !said.has('unknown') && place !== undefined)
      findings.push({ invariant: 'L', what: `${jobId} was refused and is there` })
  }
  for (const { jobId, live, outcomes, results } of places) {
    if (!answers.has(jobId)) findings.push({ invariant: 'L', what: `${jobId} is there and was never sent` })
    const isDead = live === 'failed' && outcomes.every((outcome) => outcome === 'failed')
    if (live === null ? outcomes.length !== 1 : outcomes.length > 0 && !isDead)
      findings.push({
        invariant: 'L',
        what: `${jobId} is ${live ?? 'not live'} and ended as ${outcomes.join(', ') || 'nothing'}`,
      })
    if (results > 1) findings.push({ invariant: 'D', what: `${jobId} has ${results} results` })
  }
  return findings
}

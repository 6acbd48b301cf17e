import { claimsOf, type LogEvent, pendingSince } from '../history.ts'
import { judge, seconds, type Verdict } from './verdict.ts'

export interface WorkflowPlan {
  readonly jobId: string
  readonly models: readonly string[]
  /** How long its queue lets others overtake it. */
  readonly patienceMs: number
}

/** The workflow that needs several models starts with all of them or not at all. */
export function checkGang(log: readonly LogEvent[], { jobId, models }: WorkflowPlan): Verdict {
  const claims = claimsOf(log).filter((claim) => claim.jobId === jobId)
  const contradictions = claims.flatMap(({ resources }) =>
    models.filter((model) => !resources.includes(model)).map((model) => `${jobId} was started without ${model}`),
  )
  if (claims.length === 0) contradictions.push(`${jobId} was never started`)
  return judge('the workflow that needs both models started only with both', contradictions, [
    `${jobId} was given ${claims[0]?.resources.join(', ')} at once`,
  ])
}

/**
 * It is not starved: a stream of younger jobs that need one of its models overtakes it while it is patient, and no
 * longer. It starts before the stream has dried up, and within its patience and one running time of each model.
 */
export function checkNotStarved(log: readonly LogEvent[], { jobId, models, patienceMs }: WorkflowPlan): Verdict {
  const title = 'the workflow was not starved by a stream of jobs that need one model'
  const claims = claimsOf(log)
  const claim = claims.find((one) => one.jobId === jobId)
  const pending = claim === undefined ? null : pendingSince(log, jobId, claim.assigned.id)
  if (claim === undefined || pending === null) return judge(title, [`${jobId} was never started`])

  const rivals = claims.filter((one) => one.jobId !== jobId && models.some((model) => one.resources.includes(model)))
  const younger = rivals.filter(
    ({ jobId: rival, assigned }) => (pendingSince(log, rival, assigned.id)?.id ?? 0) > pending.id,
  )
  const overtaking = younger.filter(({ token }) => token < claim.token)
  const left = younger.filter(({ jobId: rival, token, assigned }) => {
    return token > claim.token && (pendingSince(log, rival, assigned.id)?.id ?? claim.assigned.id) < claim.assigned.id
  })
  const longest = (model: string) =>
    Math.max(
      0,
      ...rivals
        .filter(({ resources, token }) => resources.includes(model) && token < claim.token)
        .map(({ assigned, ended }) => (ended?.atMs ?? claim.assigned.atMs) - assigned.atMs),
    )
  const waitedMs = claim.assigned.atMs - pending.atMs
  const boundMs = patienceMs + models.reduce((sum, model) => sum + longest(model), 0) + slackMs
  const contradictions = [
    ...(overtaking.length === 0 ? ['nothing overtook it, so nothing is shown'] : []),
    ...(left.length === 0 ? ['it started only when the stream had dried up'] : []),
    ...(waitedMs > boundMs ? [`it waited ${seconds(waitedMs)}, more than its bound of ${seconds(boundMs)}`] : []),
  ]
  return judge(title, contradictions, [
    `overtaken ${overtaking.length} times, then started with ${left.length} younger still waiting`,
    `it waited ${seconds(waitedMs)}; its patience and a running time of each model are ${seconds(boundMs - slackMs)}`,
  ])
}

/** The tick that ends its patience comes once a second; a start takes some milliseconds. */
const slackMs = 1250

import { type Claim, claimsOf, type LogEvent } from '../history.ts'
import { judge, type Verdict } from './verdict.ts'

/**
 * No two claims of one resource overlap. Claims are put in order by their fence, and compared by the numbers of their
 * log lines and not by their times: a verb notes the time at which it began, the number is drawn under the resource's
 * lock. So the line that freed a resource always comes before the line that granted it anew.
 */
export function checkExclusivity(log: readonly LogEvent[]): Verdict {
  const title = 'no two claims of one resource overlap, by their fences'
  const byResource = new Map<string, Claim[]>()
  for (const claim of claimsOf(log)) {
    for (const resource of claim.resources) byResource.set(resource, [...(byResource.get(resource) ?? []), claim])
  }
  const contradictions = [...byResource].flatMap(([resource, claims]) =>
    claims.flatMap((claim, index) => {
      const next = claims[index + 1]
      if (next === undefined) return []
      const isOver = claim.ended !== null && claim.ended.id < next.assigned.id
      return isOver ? [] : [`${next.jobId} was given ${resource} (fence ${next.token}) while ${claim.jobId} had it`]
    }),
  )
  const uses = [...byResource.values()].reduce((sum, claims) => sum + claims.length, 0)
  if (uses === 0) contradictions.push('nothing was ever granted')
  return judge(title, contradictions, [`${uses} uses of ${byResource.size} resources`])
}

import { judge, type Verdict } from './verdict.ts'

/** A line that a job's process wrote into the store behind a resource, in the order of writing. */
export interface StoreLine {
  readonly resource: string
  readonly fence: number
  readonly job_id: string
  readonly what: 'begins' | 'goes on' | 'ends'
}

/**
 * What the processes themselves wrote behind each resource: nobody begins before the last one has ended, unless that
 * one was killed; and nothing is ever written under a lower fence than the highest one seen.
 */
export function checkFencedStore(lines: readonly StoreLine[], killedFences: ReadonlySet<number>): Verdict {
  const user = new Map<string, StoreLine>()
  const highest = new Map<string, number>()
  const contradictions: string[] = []
  for (const line of lines) {
    const { resource, fence, job_id: jobId, what } = line
    const top = highest.get(resource) ?? 0
    if (fence < top) contradictions.push(`${jobId} wrote to ${resource} under fence ${fence}, after ${top}`)
    highest.set(resource, Math.max(top, fence))
    const using = user.get(resource)
    if (using !== undefined && using.fence !== fence && !killedFences.has(using.fence)) {
      contradictions.push(`${jobId} used ${resource} while ${using.job_id} did`)
    }
    if (what === 'ends') user.delete(resource)
    else user.set(resource, line)
  }
  if (lines.length === 0) contradictions.push('nobody wrote anything')
  return judge('the files of the jobs themselves show no overlap, and no fence that fell', contradictions, [
    `${lines.length} writes to ${highest.size} resources`,
  ])
}

import { claimsOf, type LogEvent } from '../history.ts'
import type { EditRecord } from '../tasks/repository.ts'
import { judge, type Verdict } from './verdict.ts'

/** The second task of a user waited for the first, while those of other users ran. */
export function checkSecondWaited(
  log: readonly LogEvent[],
  { first, second, others }: { readonly first: string; readonly second: string; readonly others: readonly string[] },
): Verdict {
  const claims = claimsOf(log)
  const claimOf = (jobId: string) => claims.find((claim) => claim.jobId === jobId)
  const [one, two] = [claimOf(first), claimOf(second)]
  const title = `${second} waited for ${first}, while ${others.join(' and ')} ran`
  if (one === undefined || two === undefined) return judge(title, ['one of them never started'])
  const enqueued = log.find(({ type, jobId }) => type === 'enqueued' && jobId === second)
  const idle = others.filter((other) => {
    const claim = claimOf(other)
    const end = one.ended?.atMs ?? Number.POSITIVE_INFINITY
    return claim === undefined || claim.assigned.atMs > end || (claim.ended?.atMs ?? end) < one.assigned.atMs
  })
  return judge(
    title,
    [
      ...(one.ended === null || two.assigned.id < one.ended.id ? [`${second} started before ${first} had ended`] : []),
      ...((enqueued?.id ?? Number.POSITIVE_INFINITY) > (one.ended?.id ?? 0) ? [`${second} did not have to wait`] : []),
      ...idle.map((other) => `${other} did not run beside ${first}`),
    ],
    [`assigned ${(two.assigned.atMs - (one.ended?.atMs ?? 0)).toFixed(0)} ms after ${first} had ended`],
  )
}

/** The commits of a user's own repository, by the instants that the processes have written into them, never overlap. */
export function checkCommits(
  editsByUser: ReadonlyMap<string, readonly EditRecord[]>,
  expected: ReadonlyMap<string, number>,
  medium: 'git' | 'edits.log' = 'git',
): Verdict {
  const contradictions = [...expected].flatMap(([user, count]) => {
    const edits = editsByUser.get(user) ?? []
    const overlaps = edits.flatMap((edit, index) => {
      const next = edits[index + 1]
      if (next === undefined || Date.parse(edit.endedAt) <= Date.parse(next.startedAt)) return []
      return [`${user}: ${next.jobId} began at ${next.startedAt}, before ${edit.jobId} had ended at ${edit.endedAt}`]
    })
    return edits.length === count ? overlaps : [...overlaps, `${user} has ${edits.length} commits, not ${count}`]
  })
  if (expected.size === 0) contradictions.push('nobody was to commit anything')
  const figures = [...expected.keys()].map((user) => {
    return `${user}: ${(editsByUser.get(user) ?? []).map(({ jobId }) => jobId).join(', ')}`
  })
  return judge('the commits of one user never overlap', contradictions, [
    figures.join('; '),
    ...(medium === 'git' ? [] : ['git is not installed here: the lines of edits.log stand for commits']),
  ])
}

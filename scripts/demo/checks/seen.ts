import { judge, type Verdict } from './verdict.ts'

/** What a waiting job said of its blocker, at one moment, through two doors. */
export interface SeenWait {
  readonly jobId: string
  readonly overHttp: Blocker
  readonly inSql: Blocker
}

export interface Blocker {
  readonly blocked_by_job_id: string | null
  readonly conflict_reason: string | null
}

/** A job that waited showed its blocker and the reason while it did, in GET /jobs/:id and in psql alike. */
export function checkSeen(seen: readonly SeenWait[]): Verdict {
  const contradictions = seen.flatMap(({ jobId, overHttp, inSql }) => {
    const [http, sql] = [JSON.stringify(overHttp), JSON.stringify(inSql)]
    if (http !== sql) return [`${jobId}: GET /jobs/${jobId} says ${http}, interlock.waiting_jobs says ${sql}`]
    return overHttp.blocked_by_job_id === null || overHttp.conflict_reason === null ? [`${jobId} says ${http}`] : []
  })
  if (!seen.some(({ overHttp }) => /^Model conflict/.test(overHttp.conflict_reason ?? ''))) {
    contradictions.push('no job was seen to wait for a model')
  }
  return judge('a waiting job says so, in GET /jobs/:id and in interlock.waiting_jobs', contradictions, [
    ...seen.map(
      ({ jobId, overHttp }) => `${jobId}: blocked by ${overHttp.blocked_by_job_id}: ${overHttp.conflict_reason}`,
    ),
  ])
}

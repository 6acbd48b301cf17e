import type { JobRequest } from '../../src/domain/job-request.ts'
import type { Database } from '../../src/store/database.ts'
import type { Blocker, SeenWait } from './checks/seen.ts'

const timeoutMs = 10_000

/** Enqueues over HTTP: one job as POST /jobs, several as POST /jobs/batch. */
export async function enqueueOverHttp(url: string, requests: readonly JobRequest[]): Promise<void> {
  const isOne = requests.length === 1
  const response = await fetch(`${url}/jobs${isOne ? '' : '/batch'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(isOne ? requests[0] : { jobs: requests }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 201) throw new Error(`POST /jobs answered ${response.status}: ${await response.text()}`)
}

/** What a waiting job says of its blocker, asked through both doors one after the other. */
export async function lookAtWait(jobId: string, url: string, database: Database): Promise<SeenWait> {
  const response = await fetch(`${url}/jobs/${jobId}`, { signal: AbortSignal.timeout(timeoutMs) })
  const overHttp = pick((await response.json()) as Partial<Blocker>)
  const [row] = await database.query<Blocker>(
    'select blocked_by_job_id, conflict_reason from interlock.waiting_jobs where job_id = $1',
    [jobId],
  )
  return { jobId, overHttp, inSql: pick(row ?? {}) }
}

function pick({ blocked_by_job_id, conflict_reason }: Partial<Blocker>): Blocker {
  return { blocked_by_job_id: blocked_by_job_id ?? null, conflict_reason: conflict_reason ?? null }
}

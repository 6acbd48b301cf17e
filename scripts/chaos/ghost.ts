import { Bystander } from './bystander.ts'
import type { History } from './history.ts'

/** The writes of a holder, with the job and the token of its claim. Each says whether it was taken. */
const writes = {
  complete: `select c.accepted from interlock.complete_jobs(array[$1], array[$2::bigint]) as c`,
  return: `select r.accepted from interlock.return_jobs(array[$1], array[$2::bigint], 'a ghost') as r`,
  fail: `select true as accepted from interlock.fail_job($1, $2, '{"message": "a ghost"}')`,
  progress: `select true as accepted from interlock.report_progress($1, $2, 50)`,
} as const

/**
 * A holder that does not know that it lost its claim. Agents know it nearly always, and write nothing then; somebody
 * else's agent, in another language, may not. For jobs that were taken back and run again, it says what the former
 * holder would say.
 */
export function createGhost(url: string, history: History): Bystander {
  return new Bystander({
    url,
    name: 'ghost',
    betweenMs: 150,
    act: async (database, before) => {
      const former = await database.query<{ job_id: string; token: number }>(
        `select l.job_id, max(l.token) as token
         from interlock.jobs as j
         join interlock.job_queue_log as l on l.job_id = j.id
         where j.held is not null and l.token < j.token
         group by l.job_id
         order by max(l.id) desc
         limit 4`,
      )
      for (const [n, { job_id: jobId, token }] of former.entries()) {
        const names = Object.keys(writes) as (keyof typeof writes)[]
        const write = names[(before + n) % names.length] ?? 'complete'
        const answer = await database.query<{ accepted: boolean }>(writes[write], [jobId, token]).then(
          ([row]) => (row?.accepted === true ? ('accepted' as const) : ('refused' as const)),
          (error: { code?: string }) => (error.code === 'stale_token' ? ('refused' as const) : ('unknown' as const)),
        )
        history.note({ kind: 'late', write, jobId, token, answer })
      }
    },
  })
}

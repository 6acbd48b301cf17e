import { Bystander } from './bystander.ts'
import type { History } from './history.ts'

/** Looks at interlock.violations all the time: what a later event, or the tick, puts right again is gone at rest. */
export function createAuditor(url: string, history: History): Bystander {
  return new Bystander({
    url,
    name: 'auditor',
    betweenMs: 80,
    act: async (database, before) => {
      const found = await database.query<{ what: string }>(
        `select distinct concat_ws(' ', v.violation || ':', v.resource, v.job_id, v.lane_id,
           case when coalesce(v.resource, v.job_id, v.lane_id::text) is null then v.detail end) as what
         from interlock.violations as v`,
      )
      if (found.length === 0) return
      const violations = found.map(({ what }) => what)
      history.note({ kind: 'looked', look: before + 1, violations })
    },
  })
}

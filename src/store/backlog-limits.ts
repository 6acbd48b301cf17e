import type { BacklogLimit, BacklogSettings } from '../domain/backlog-limit.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'
import { changeQueue } from './queues.ts'

/** Every limit of unfinished jobs that there is, and how full it is. */
export function listBacklogLimits(queryable: Queryable): Promise<readonly BacklogLimit[]> {
  return queryable.query<BacklogLimit>(
    `select b.scope, b.max_unfinished, b.when_full, b.refuse_after_wait_seconds, b.unfinished, b.is_full, b.is_refusing, b.reason
     from interlock.backlog_fullness as b
     order by b.scope`,
  )
}

/**
 * Limits the unfinished jobs of everything, a queue or a task. A queue's limit is a setting of the queue, so that there is
 * one place to look for it. Null: it has no limit any more. Throws invalid_argument, queue_not_found.
 */
export async function changeBacklogLimit(
  queryable: Queryable,
  scope: string,
  { max_unfinished: most, when_full: whenFull }: BacklogSettings,
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<BacklogLimit | null> {
  const [, queue] = /^queue:(.*)$/.exec(scope) ?? []
  if (queue !== undefined) {
    const settings = { max_unfinished: most, ...(whenFull === undefined ? {} : { when_full: whenFull }) }
    await changeQueue(queryable, queue, settings, { actor })
  } else {
    await queryable.query(
      `select interlock.set_backlog_limit($1, $2,
         coalesce($3, (select b.when_full from interlock.backlog_limits as b where b.scope = $1), 'refuse'), $4)`,
      [scope, most, whenFull ?? null, actor ?? null],
    )
  }
  return (await listBacklogLimits(queryable)).find((limit) => limit.scope === scope) ?? null
}

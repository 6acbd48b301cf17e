import type { DeadLetterGroup, DeadLetters } from '../domain/dead-letter.ts'
import type { JobSelection } from '../domain/job-filter.ts'
import type { Queryable } from './queryable.ts'

interface GroupRow extends Omit<DeadLetterGroup, 'first_at' | 'last_at'> {
  readonly first_at: Date
  readonly last_at: Date
  readonly is_cut: boolean
}

/** The dead letters, grouped by their error, the most frequent first. Throws invalid_argument, queue_not_found. */
export async function listDeadLetters(
  queryable: Queryable,
  selection: JobSelection,
  limit: number,
): Promise<DeadLetters> {
  const rows = await queryable.query<GroupRow>(
    `select error, jobs, first_at, last_at, tasks, queues, users, example, is_cut
     from interlock.list_dead_letters($1::jsonb, $2)`,
    [JSON.stringify(Object.keys(selection).length === 0 ? { all: true } : selection), limit],
  )
  return {
    groups: rows.map(({ is_cut: _isCut, ...group }) => ({
      ...group,
      first_at: group.first_at.toISOString(),
      last_at: group.last_at.toISOString(),
      example: { ...group.example, failed_at: new Date(group.example.failed_at).toISOString() },
    })),
    is_cut: rows.some((row) => row.is_cut),
  }
}

import type { ResourceView } from '../domain/queue-view.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'

/** What is changed of a limit; what is left out stays as it is. */
export interface LimitSettings {
  /** Null: unlimited. */
  readonly capacity?: number | null | undefined
  /** Null: any number. */
  readonly starts_per_minute?: number | null | undefined
  readonly is_paused?: boolean | undefined
}

interface ResourceRow extends Omit<ResourceView, 'updated_at'> {
  readonly updated_at: Date
}

const columns =
  'pattern, capacity, starts_per_minute, is_paused, is_pause_only, held, reserved, waiting_lanes, updated_at'

/** Every limit there is, by its pattern. */
export async function listResources(queryable: Queryable): Promise<readonly ResourceView[]> {
  const rows = await queryable.query<ResourceRow>(`select ${columns} from interlock.resources order by pattern`)
  return rows.map(toView)
}

/** Null: it has no limit of its own any more. Throws invalid_argument. */
export async function changeLimit(
  queryable: Queryable,
  pattern: string,
  settings: LimitSettings,
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<ResourceView | null> {
  await retryTransient(() =>
    queryable.query('select interlock.change_limit($1, $2::jsonb, $3)', [
      pattern,
      JSON.stringify(settings),
      actor ?? null,
    ]),
  )
  const [row] = await queryable.query<ResourceRow>(`select ${columns} from interlock.resources where pattern = $1`, [
    pattern,
  ])
  return row === undefined ? null : toView(row)
}

/** Whether there was one. */
export async function removeLimit(
  queryable: Queryable,
  pattern: string,
  { actor }: Pick<Motive, 'actor'> = {},
): Promise<boolean> {
  const [row] = await retryTransient(() =>
    queryable.query<{ readonly removed: boolean }>('select interlock.remove_limit($1, $2) as removed', [
      pattern,
      actor ?? null,
    ]),
  )
  return row?.removed ?? false
}

function toView({ updated_at: updatedAt, ...row }: ResourceRow): ResourceView {
  return { ...row, updated_at: updatedAt.toISOString() }
}

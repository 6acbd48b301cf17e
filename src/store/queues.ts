import { InterlockError } from '../domain/errors.ts'
import type { QueueView } from '../domain/queue-view.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'

/** Every queue with its policy, by name. */
export async function listQueues(queryable: Queryable): Promise<readonly QueueView[]> {
  const rows = await queryable.query<{ readonly queue: QueueView }>(
    `select to_jsonb(q) - 'retries_paced_until' as queue from interlock.queues as q order by q.name`,
  )
  return rows.map((row) => row.queue)
}

export async function readQueue(queryable: Queryable, name: string): Promise<QueueView> {
  const [row] = await queryable.query<{ readonly queue: QueueView }>(
    `select to_jsonb(q) - 'retries_paced_until' as queue from interlock.queues as q where q.name = $1`,
    [name],
  )
  if (row !== undefined) return row.queue
  throw new InterlockError('queue_not_found', `queue ${name} does not exist`, { field: 'queue' })
}

/**
 * Changes what is named of a queue's policy; a queue that does not exist is made only where that is wanted, or a slip of
 * the pen would be a queue that nobody serves. Throws queue_not_found, invalid_argument.
 */
export async function changeQueue(
  queryable: Queryable,
  name: string,
  settings: Readonly<Record<string, unknown>>,
  { actor, mayCreate = false }: Pick<Motive, 'actor'> & { readonly mayCreate?: boolean } = {},
): Promise<QueueView> {
  if (!mayCreate) await readQueue(queryable, name)
  const json = JSON.stringify(settings, (key, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? 'Infinity' : key === 'max_unfinished' && value === 'unlimited' ? null : value,
  )
  await queryable.query('select interlock.set_queue(p_name => $1, p_settings => $2::jsonb, p_actor => $3)', [
    name,
    json,
    actor ?? null,
  ])
  return readQueue(queryable, name)
}

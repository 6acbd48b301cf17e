import { InterlockError } from '../domain/errors.ts'
import type { LockRequest } from '../domain/lock-request.ts'
import type { HeldLockView, LockStateView, LockView, ReleasedView, SweptView } from '../domain/lock-view.ts'
import { priorityNumber } from '../domain/priority.ts'
import { isResource } from '../domain/resource.ts'
import type { Motive } from './jobs.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'

/** What a list of locks is narrowed to; a field that is left out does not restrict. */
export interface LockFilter {
  readonly resource?: string | undefined
  readonly owner?: string | undefined
  readonly kind?: 'job' | 'lock' | undefined
}

export interface ReleaseOptions extends Motive {
  /** Only if this job or lock holds the resource. */
  readonly jobId?: string | null | undefined
  /** The holder's own release; without it a lock is taken from whoever has it. */
  readonly token?: number | null | undefined
}

type Row<View> = {
  readonly [Key in keyof View]: Key extends TimeKey ? TimeOf<View[Key]> : View[Key]
}
type TimeKey = 'since' | 'lease_until' | 'cancel_requested_at'
type TimeOf<Value> = Value extends null ? null : Date

/**
 * Enters the line; `unheardSeconds` after it was last polled it is taken to be given up. Returns its id; with a key of the
 * caller's own, that of the lock which the same request entered before. Throws idempotency_conflict.
 */
export async function acquireLock(
  queryable: Queryable,
  request: LockRequest,
  unheardSeconds: number,
  { actor, key }: Pick<Motive, 'actor'> & { readonly key?: string | null } = {},
): Promise<{ readonly lockId: string; readonly isRepeated: boolean }> {
  const [row] = await queryable.query<{ readonly lock_id: string; readonly repeated: boolean }>(
    `select lock_id, repeated
     from interlock.acquire_lock(p_resources => $1::text[], p_owner => $2, p_lease_seconds => $3, p_wait_seconds => $4,
       p_priority => $5, p_reason => $6, p_actor => $7, p_key => $8)`,
    [
      request.resources,
      request.owner,
      request.lease_seconds,
      unheardSeconds,
      priorityNumber(request.priority),
      request.reason ?? null,
      actor ?? null,
      key ?? null,
    ],
  )
  if (row === undefined) throw new TypeError('acquire_lock answered without a row')
  return { lockId: row.lock_id, isRepeated: row.repeated }
}

/** Whether the owner has it by now; keeps it in line. Throws job_not_found, not_held (another's). */
export async function pollLock(queryable: Queryable, lockId: string, owner: string): Promise<LockStateView> {
  const [row] = await queryable.query<Row<Omit<LockStateView, 'lock_id'>>>(
    'select state, token, fences, lease_until, reason from interlock.poll_lock($1, $2)',
    [lockId, owner],
    'poll_lock',
  )
  if (row === undefined) throw new TypeError('poll_lock answered without a row')
  return { lock_id: lockId, ...row, lease_until: row.lease_until?.toISOString() ?? null }
}

/** Null for the lease: as long as before. Throws job_not_found, stale_token, invalid_argument. */
export async function extendLock(
  queryable: Queryable,
  lockId: string,
  token: number,
  leaseSeconds: number | null,
): Promise<Pick<HeldLockView, 'lock_id' | 'lease_until'>> {
  const [row] = await queryable.query<{ readonly lease_until: Date }>(
    'select lease_until from interlock.extend_lock($1, $2, $3)',
    [lockId, token, leaseSeconds],
    'extend_lock',
  )
  if (row === undefined) throw new TypeError('extend_lock answered without a row')
  return { lock_id: lockId, lease_until: row.lease_until.toISOString() }
}

/**
 * Releases what the key names: a resource (`user:alice`), from all that hold it, or a lock by its id. Throws
 * job_not_found, stale_token, not_held, invalid_argument.
 */
export async function releaseByKey(
  queryable: Queryable,
  key: string,
  { jobId, token, reason, actor }: ReleaseOptions,
): Promise<readonly ReleasedView[]> {
  if (!isResource(key)) {
    if (jobId != null) throw notForLocks('job_id', 'names one of the holders of a resource')
    const [row] = await retryTransient(() =>
      queryable.query<Pick<ReleasedView, 'status'>>('select status from interlock.release_lock($1, $2, $3, $4)', [
        key,
        token ?? null,
        reason ?? null,
        actor ?? null,
      ]),
    )
    if (row === undefined) throw new TypeError('release_lock answered without a row')
    return [{ job_id: key, kind: 'lock', status: row.status }]
  }
  if (token != null) throw notForLocks('token', 'goes with the id of a lock, not with a resource')
  return retryTransient(() =>
    queryable.query<ReleasedView>('select job_id, kind, status from interlock.release_resource($1, $2, $3, $4)', [
      key,
      jobId ?? null,
      reason ?? null,
      actor ?? null,
    ]),
  )
}

/** Manual locks held for longer are released, jobs only told of; on a dry run, locks too. */
export async function sweepLocks(
  queryable: Queryable,
  olderThanSeconds: number,
  options: {
    readonly dryRun: boolean
    readonly actor?: string | null | undefined
    /** Only what its jobs hold, and whoever holds `project:NAME`. */
    readonly project?: string | undefined
  },
): Promise<readonly SweptView[]> {
  return retryTransient(() =>
    queryable.query<SweptView>(
      `select job_id, kind, resources, owner, agent_id, held_seconds, status
       from interlock.sweep_locks($1, $2, $3, $4)`,
      [olderThanSeconds, options.dryRun, options.actor ?? null, options.project ?? null],
    ),
  )
}

/** Who holds what, by resource: at most `limit` slots. */
export async function listLocks(queryable: Queryable, filter: LockFilter, limit: number): Promise<readonly LockView[]> {
  const rows = await queryable.query<Row<LockView>>(
    `select l.resource, l.slot, l.state, l.kind, l.job_id, l.owner, l.task, l.agent_id, l.since, l.lease_until, l.fence,
       l.capacity, l.cancel_requested_at
     from interlock.locks as l
     where ($1::text is null or l.resource = $1)
       and ($2::text is null or l.owner = $2)
       and ($3::text is null or l.kind = $3)
     order by l.resource, l.slot
     limit $4`,
    [filter.resource ?? null, filter.owner ?? null, filter.kind ?? null, limit],
  )
  return rows.map((row) => ({
    ...row,
    since: row.since?.toISOString() ?? null,
    lease_until: row.lease_until?.toISOString() ?? null,
    cancel_requested_at: row.cancel_requested_at?.toISOString() ?? null,
  }))
}

function notForLocks(field: string, why: string): InterlockError {
  return new InterlockError('invalid_argument', `${field} ${why}`, { field })
}

import { InterlockError } from '../domain/errors.ts'
import type { KeyRequest, Rotation } from '../security/key-request.ts'
import type { IssuedKey, KeyPage, KeyView } from '../security/key-view.ts'
import { drawKey, type PresentedKey } from '../security/keys.ts'
import type { Principal } from '../security/principal.ts'
import type { Scope } from '../security/scopes.ts'
import type { Queryable } from './queryable.ts'

/** By whom a key is changed, for the audit. */
export interface Signature {
  readonly actor: string | null
  readonly keyId?: string | null
  readonly requestId?: string | null
}

/** Makes a key. The secret is drawn here, and its hash alone leaves. Throws invalid_argument, idempotency_conflict. */
export async function createKey(queryable: Queryable, request: KeyRequest, by: Signature): Promise<IssuedKey> {
  const { id, key, secretHash } = drawKey()
  await queryable.query('select interlock.create_key($1, $2, $3, $4, $5, $6, $7, $8)', [
    id,
    request.name,
    request.scopes,
    secretHash,
    request.expires_in_seconds ?? null,
    ...signed(by),
  ])
  return { ...(await readKey(queryable, id)), key }
}

/** Gives a key another secret. Throws key_not_found, illegal_transition. */
export async function rotateKey(
  queryable: Queryable,
  id: string,
  { overlap_seconds: overlap, expires_in_seconds: expires }: Rotation,
  by: Signature,
): Promise<IssuedKey> {
  const { key, secretHash } = drawKey(id)
  await queryable.query('select interlock.rotate_key($1, $2, $3, $4, $5, $6, $7)', [
    id,
    secretHash,
    overlap,
    expires ?? null,
    ...signed(by),
  ])
  return { ...(await readKey(queryable, id)), key }
}

/** Whether it was good until now. Throws key_not_found. */
export async function revokeKey(
  queryable: Queryable,
  id: string,
  { reason, ...by }: Signature & { readonly reason?: string | null | undefined },
): Promise<boolean> {
  const [row] = await queryable.query<{ readonly revoked: boolean }>(
    'select interlock.revoke_key($1, $2, $3, $4, $5) as revoked',
    [id, reason ?? null, ...signed(by)],
  )
  return row?.revoked === true
}

/** Who shows this key. */
export async function authenticateKey(queryable: Queryable, { id, secretHash }: PresentedKey): Promise<Principal> {
  const [row] = await queryable.query<Authenticated>(
    'select a.outcome, a.name, a.scopes from interlock.authenticate_key($1, $2) as a',
    [id, secretHash],
    'authenticate_key',
  )
  if (row === undefined) throw new TypeError('authenticate_key answered without a row')
  if (row.outcome === 'valid') return { kind: 'key', id, name: row.name, scopes: row.scopes }
  return { kind: 'nobody', why: row.outcome, keyId: id }
}

type Authenticated =
  | { readonly outcome: 'valid'; readonly name: string; readonly scopes: readonly Scope[] }
  | { readonly outcome: 'unknown' | 'expired' | 'revoked' }

const columns = `k.id, k.name, k.state, k.scopes, k.created_at, k.created_by, k.expires_at, k.last_used_at, k.rotated_at,
  k.previous_until, k.revoked_at`

/** By id, those after one (empty: from the start). */
export async function listKeys(
  queryable: Queryable,
  { cursor = '', limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<KeyPage> {
  const rows = await queryable.query<KeyRow>(
    `select ${columns} from interlock.keys as k where k.id > $1 order by k.id limit $2`,
    [cursor, limit + 1],
  )
  const keys = rows.slice(0, limit).map(keyView)
  return { keys, next_cursor: rows.length > limit ? (keys.at(-1)?.id ?? null) : null }
}

/** Throws key_not_found. */
export async function readKey(queryable: Queryable, id: string): Promise<KeyView> {
  const [row] = await queryable.query<KeyRow>(`select ${columns} from interlock.keys as k where k.id = $1`, [id])
  if (row !== undefined) return keyView(row)
  throw new InterlockError('key_not_found', `key ${id} does not exist`, {
    field: 'id',
    hint: 'interlock keys list shows those that there are.',
  })
}

type Time = 'created_at' | 'expires_at' | 'last_used_at' | 'rotated_at' | 'previous_until' | 'revoked_at'
type KeyRow = Omit<KeyView, Time> & { readonly created_at: Date } & Readonly<
    Record<Exclude<Time, 'created_at'>, Date | null>
  >

function keyView(row: KeyRow): KeyView {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    rotated_at: row.rotated_at?.toISOString() ?? null,
    previous_until: row.previous_until?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  }
}

function signed({ actor, keyId, requestId }: Signature): readonly (string | null)[] {
  return [actor, keyId ?? null, requestId ?? null]
}

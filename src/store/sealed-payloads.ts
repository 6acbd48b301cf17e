import type { KeyRing } from '../security/key-ring.ts'
import { type Payload, seal, unseal } from '../security/payload-envelope.ts'
import type { Queryable } from './queryable.ts'

/** What writing encrypted payloads anew came to. */
export interface Reencrypted {
  /** Written with another key than the first of the ring. */
  readonly old: number
  readonly replaced: number
  /** That no key here opens: their jobs. */
  readonly unreadable: readonly string[]
}

interface SealedPayload {
  readonly job_id: string
  readonly payload: Payload
  readonly is_old: boolean
}

const rowsAtOnce = 200
const namedAtMost = 100

/**
 * Writes what other keys have encrypted anew with the first of the ring, a piece a transaction, beside the jobs that run.
 * What somebody works on just then stays as it is, and is old the next time; so is what a key that is not here has
 * encrypted, which is told.
 */
export async function reencryptPayloads(
  queryable: Queryable,
  ring: KeyRing,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal?: AbortSignal },
): Promise<Reencrypted> {
  let [old, replaced, after] = [0, 0, '']
  const unreadable: string[] = []
  for (;;) {
    signal?.throwIfAborted()
    const rows = await readSealed(queryable, ring.current.id, after)
    const last = rows.at(-1)
    if (last === undefined) return { old, replaced, unreadable }
    after = last.job_id
    const stale = rows.filter((row) => row.is_old)
    old += stale.length
    const written = stale.flatMap((row) => {
      try {
        return [{ ...row, renewed: renew(ring, row) }]
      } catch {
        if (unreadable.length < namedAtMost) unreadable.push(row.job_id)
        return []
      }
    })
    if (!dryRun && written.length > 0) replaced += await replacePayloads(queryable, written)
  }
}

function renew(ring: KeyRing, { job_id: jobId, payload }: SealedPayload): Payload {
  const { $encrypted: _, ...beside } = payload
  const opened = unseal(ring, jobId, { $encrypted: payload.$encrypted })
  return { ...seal(ring, jobId, opened), ...beside }
}

async function readSealed(queryable: Queryable, keyId: string, after: string): Promise<readonly SealedPayload[]> {
  return queryable.query<SealedPayload & Record<string, unknown>>(
    'select s.job_id, s.payload, s.is_old from interlock.sealed_payloads($1, $2, $3) as s',
    [keyId, after, rowsAtOnce],
  )
}

async function replacePayloads(
  queryable: Queryable,
  rows: readonly (SealedPayload & { readonly renewed: Payload })[],
): Promise<number> {
  const [row] = await queryable.query<{ readonly n: number }>(
    'select interlock.replace_payloads($1, $2::jsonb[], $3::jsonb[]) as n',
    [
      rows.map(({ job_id: id }) => id),
      rows.map(({ payload }) => JSON.stringify(payload)),
      rows.map(({ renewed }) => JSON.stringify(renewed)),
    ],
  )
  return row?.n ?? 0
}

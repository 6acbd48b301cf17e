import type { JobId } from '../domain/ids.ts'
import type { OutputStream } from '../domain/output-view.ts'
import type { Queryable } from './queryable.ts'

/** Whole lines that a job wrote, without the last newline. `seq` grows in the order of writing. */
export interface OutputChunk {
  readonly seq: number
  readonly attempt: number
  readonly stream: OutputStream
  readonly createdAt: Date
  readonly lines: string
}

interface OutputRow extends Omit<OutputChunk, 'createdAt'> {
  readonly created_at: Date
}

/** Chunks after the one with this number (0: from the start), oldest first. A chunk may be 1 MiB: ask for few. */
export async function readOutput(
  queryable: Queryable,
  id: JobId,
  page: { readonly afterSeq: number; readonly limit: number; readonly stream?: OutputStream | undefined },
): Promise<readonly OutputChunk[]> {
  const rows = await queryable.query<OutputRow>(
    `select o.seq, o.attempt, o.stream, o.created_at, o.lines
    from interlock.job_output as o
    where o.job_id = $1
      and o.seq > $2
      and ($3::text is null or o.stream = $3)
    order by o.seq
    limit $4`,
    [id, page.afterSeq, page.stream ?? null, page.limit],
  )
  return rows.map(({ created_at: createdAt, ...chunk }) => ({ ...chunk, createdAt }))
}

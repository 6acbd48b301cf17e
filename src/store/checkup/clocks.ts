import { type Finding, warning } from '../../domain/finding.ts'
import type { Queryable } from '../queryable.ts'

const skewMsMax = 2000

/** This machine's wall clock against the server's. Every decision is by the server's; people read both. */
export async function checkClocks(database: Queryable): Promise<readonly Finding[]> {
  const askedAt = Date.now()
  const [row] = await database.query<{ now_ms: number }>(
    `select (extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms`,
  )
  const answeredAt = Date.now()
  const skewMs = (row?.now_ms ?? askedAt) - (askedAt + answeredAt) / 2
  if (Math.abs(skewMs) <= skewMsMax + (answeredAt - askedAt) / 2) return []
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1)
  return [
    warning(
      `this machine's clock is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} the database's: logs and tables tell different times`,
      'set it (timedatectl set-ntp true); nothing is decided by it',
    ),
  ]
}

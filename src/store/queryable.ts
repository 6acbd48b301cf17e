import type { ClientBase } from 'pg'
import { tellStaleWrites } from '../observability/happenings.ts'
import { toInterlockError } from './sqlstate.ts'

/** Whatever can be asked: the pool, a transaction, a connection of one's own. */
export interface Queryable {
  /**
   * Runs one statement and returns its rows. Values are `$1`, `$2`, ...: a JavaScript array becomes a Postgres array,
   * an object json (an array that is meant as json has to be given as text). With a name the statement is prepared
   * once a connection. Throws InterlockError.
   */
  query<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]>
}

/** The same over a client of pg. */
export async function runQuery<Row extends object>(
  client: ClientBase,
  text: string,
  values: readonly unknown[] = [],
  name?: string,
): Promise<Row[]> {
  try {
    const result = await client.query<Row>({ text, values: [...values], ...(name === undefined ? {} : { name }) })
    return result.rows
  } catch (error) {
    const told = toInterlockError(error)
    if (told.code === 'stale_token') tellStaleWrites(1)
    throw told
  }
}

import type { BorrowedClient, BorrowedPool, BorrowedStatement } from './borrowed.ts'
import type { Queryable } from './queryable.ts'
import { retryTransient } from './retry.ts'
import { breaksConnection, isCollision, toInterlockError } from './sqlstate.ts'
import { valueParsers } from './value-parsers.ts'

/**
 * Somebody else's pool. Nothing of it is changed: their parsers of values are theirs, so each statement brings ours, and
 * none is prepared by name, since their pooler may give every transaction another session.
 */
export class BorrowedDatabase implements Queryable {
  readonly #pool: BorrowedPool

  constructor(pool: BorrowedPool) {
    this.#pool = pool
  }

  query<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    return retryTransient(() => this.#queryOnce<Row>(text, values), { isWorth: isCollision })
  }

  // Not pool.query(): it throws the connection away on any error, and a refusal by a verb is an ordinary answer.
  async #queryOnce<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> {
    const client = await this.#pool.connect().catch((error: unknown) => {
      throw toInterlockError(error)
    })
    let isBroken = false
    // The pool listens for errors of idle clients only: one that is killed while we have it would end the process.
    client.on('error', ignore)
    try {
      return await queryBorrowed<Row>(client, text, values)
    } catch (error) {
      isBroken = breaksConnection(error)
      throw error
    } finally {
      client.removeListener('error', ignore)
      client.release(isBroken)
    }
  }
}

const ignore = () => undefined

export async function queryBorrowed<Row extends object>(
  client: BorrowedClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    const { rows } = await client.query({ text, values: [...values], types: ownParsers })
    return rows
  } catch (error) {
    throw toInterlockError(error)
  }
}

const timestamptz = 1184
const json = 114
const jsonb = 3802

/**
 * pg keeps its parsers in one place for the whole program, and its owner may have set others: days as text, numbers as
 * bigint. What we read as a time or as JSON is parsed by nobody else.
 */
const ownParsers: BorrowedStatement['types'] = {
  getTypeParser(oid, format = 'text') {
    if (oid === timestamptz) return parseTime
    if (oid === json || oid === jsonb) return JSON.parse as (value: string) => unknown
    return valueParsers.getTypeParser(oid, format as 'text') as (value: string) => unknown
  },
}

/** `2026-11-23 12:00:00.123456+05:30`, as every session of pg has it (DateStyle ISO). */
function parseTime(text: string): Date | number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === '-infinity') return Number.NEGATIVE_INFINITY
  return new Date(text.replace(' ', 'T').replace(/([+-]\d\d)$/, '$1:00'))
}

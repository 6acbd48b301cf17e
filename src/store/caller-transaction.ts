import { InterlockError } from '../domain/errors.ts'
import { type BorrowedClient, queryBorrowed } from './borrowed-pool.ts'
import type { Queryable } from './queryable.ts'
import { toInterlockError } from './sqlstate.ts'

/** A client of pg between its BEGIN and its COMMIT, or a transaction of kysely: whoever has it ends it. */
export type CallerTransaction = PgTransaction | KyselyTransaction

export interface PgTransaction extends BorrowedClient {
  /** How pg says whether it is in a transaction, since 8.18. */
  getTransactionStatus?(): string | null
}

/** What we use of a transaction of kysely, whatever its version. */
export interface KyselyTransaction {
  readonly isTransaction: boolean
  // biome-ignore lint/suspicious/noExplicitAny: kysely's own type of what is compiled differs from version to version
  executeQuery(compiled: any): Promise<{ readonly rows: any[] }>
  withoutPlugins(): KyselyTransaction
}

/**
 * The caller's transaction as one of ours. Throws invalid_argument for what is none: a pool, or a client outside of a
 * transaction, would enqueue at once, and whoever rolls back afterwards would find the job running.
 */
export function insideTransactionOf(transaction: CallerTransaction): Queryable {
  if ('executeQuery' in transaction) return insideKysely(transaction)
  if (typeof transaction.query !== 'function') throw refuse('is neither a client of pg nor a transaction of kysely')
  if ('totalCount' in transaction) throw refuse('is a pool: each of its statements is a transaction of its own')
  // I: idle. E, a transaction that has failed, is refused by the server itself.
  if (transaction.getTransactionStatus?.() === 'I') throw refuse('is a client that has not said BEGIN')
  return { query: (text, values) => queryBorrowed(transaction, text, values) }
}

function insideKysely(transaction: KyselyTransaction): Queryable {
  if (!transaction.isTransaction) throw refuse('is kysely itself, not one of its transactions')
  // A plugin that renames columns (CamelCasePlugin) would rename ours.
  const plain = transaction.withoutPlugins()
  return {
    async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
      try {
        const { rows } = await plain.executeQuery({
          sql: text,
          parameters: values,
          query: { kind: 'RawNode', sqlFragments: [text], parameters: [] },
          queryId: { queryId: 'interlock' },
        })
        return rows
      } catch (error) {
        throw toInterlockError(error)
      }
    },
  }
}

function refuse(why: string): InterlockError {
  return new InterlockError('invalid_argument', `transaction ${why}`, {
    field: 'transaction',
    hint: 'Give the client of pg after its BEGIN, or what db.transaction().execute() hands to its callback.',
  })
}

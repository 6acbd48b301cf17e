import { InterlockError } from '../domain/errors.ts'
import type { CallerTransaction, KyselyTransaction } from './borrowed.ts'
import { queryBorrowed } from './borrowed-pool.ts'
import type { Queryable } from './queryable.ts'
import { toInterlockError } from './sqlstate.ts'

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

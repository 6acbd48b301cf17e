import { type Finding, problem, warning } from '../../domain/finding.ts'
import type { Database } from '../database.ts'

/**
 * Whether a pooler stands between, and whether it keeps a session together. It shows itself by the number of the backend:
 * a pooler invents the one that it greets with, and a session that it shares is now on one backend, now on another.
 */
export async function checkPooler(database: Database): Promise<readonly Finding[]> {
  const connection = await database.connect({ statementTimeoutSeconds: 10 })
  const other = await database.connect({ statementTimeoutSeconds: 10 })
  try {
    const backendOf = async () => {
      const [row] = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
      return row?.pid ?? 0
    }
    const first = await backendOf()
    // Whoever begins now takes the backend that the other one is not using, if it is lent out by the transaction.
    await other.query('begin')
    const second = await backendOf()
    await other.query('rollback')
    const third = await backendOf()
    if (first !== second || second !== third) {
      return [
        problem(
          'a pooler shares the sessions by transaction: LISTEN and the locks that show who lives are lost in it',
          'name the server itself in DATABASE_URL, or set the pooler to session mode for this database',
        ),
      ]
    }
    if (first === connection.processId) return []
    return [
      warning(
        'a pooler stands between; it keeps sessions together as far as can be seen',
        'nothing, while it is in session mode; agents notice a restart of the server later by way of it',
      ),
    ]
  } finally {
    await other.close()
    await connection.close()
  }
}

import { type Finding, warning } from '../../domain/finding.ts'
import type { Database } from '../database.ts'

/** Whether a pooler stands between: it greets with a number of its own, which is not that of the backend. */
export async function checkPooler(database: Database): Promise<readonly Finding[]> {
  const connection = await database.connect({ statementTimeoutSeconds: 10 })
  try {
    const [row] = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
    if (row?.pid === connection.processId) return []
    return [
      warning(
        'a pooler stands between: LISTEN, and the locks that show who lives, need a session that is kept',
        'set it to session mode for this database, or name the server itself in DATABASE_URL',
      ),
    ]
  } finally {
    await connection.close()
  }
}

/**
 * Connections that belong to whoever calls us, by what we use of them: whatever version of pg or kysely they have, and
 * without the types of either in what we publish.
 */

/** What we use of a pool of pg, whatever version of pg its owner has. */
export interface BorrowedPool {
  connect(): Promise<PooledClient>
}

export interface PooledClient extends BorrowedClient {
  release(error?: boolean): void
  on(event: 'error', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
}

/** What we use of a client of pg, be it of a pool or not. */
export interface BorrowedClient {
  // biome-ignore lint/suspicious/noExplicitAny: the rows are what the statement makes them, and pg says no more of them
  query(statement: BorrowedStatement): Promise<{ readonly rows: any[] }>
}

export interface BorrowedStatement {
  readonly text: string
  readonly values: unknown[]
  readonly types: { getTypeParser(oid: number, format?: string): (value: string) => unknown }
}

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

import { Client } from 'pg'
import type { TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

/** Sessions by which transactions are made to meet; closed with `close`, whatever they were at. */
export class Sessions {
  readonly #test: TestDatabase
  readonly #clients: Client[] = []

  constructor(test: TestDatabase) {
    this.#test = test
  }

  async open(): Promise<Client> {
    const client = new Client({ connectionString: this.#test.url })
    await client.connect()
    this.#clients.push(client)
    return client
  }

  /** Resolves when somebody is seen to wait for what this session holds. */
  async untilAwaited(holder: Client, what: string): Promise<void> {
    const { processID } = holder as unknown as { readonly processID: number }
    await waitFor(
      async () =>
        (await this.#test.query('select from pg_stat_activity where $1 = any (pg_blocking_pids(pid))', [processID]))
          .length > 0,
      { what },
    )
  }

  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.end()
  }
}

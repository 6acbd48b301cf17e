import pg from 'pg'
import { type Client, createClient } from '../../src/client/entry.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { TestAgent } from '../http/test-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

/** A queue with both ways to it, and an agent that does as it is told. */
export interface TwoWays {
  readonly test: TestDatabase
  readonly door: HttpDoor
  readonly agent: TestAgent
  readonly pool: pg.Pool
  readonly clients: Readonly<Record<Way, Client>>
  close(): Promise<void>
}

export const ways = ['http', 'pool'] as const
export type Way = (typeof ways)[number]

export async function openTwoWays(): Promise<TwoWays> {
  const test = await createTestDatabase()
  const door = await openHttpDoor(test)
  const agent = await TestAgent.register(test, { slots: 100 })
  // An owner who has parsers of their own, as programs have that want their days as text.
  const types = { getTypeParser: () => (value: string) => `mine: ${value}` }
  const pool = new pg.Pool({ connectionString: test.url, max: 4, types })
  // As every owner of a pool has to: an idle connection that breaks is an error of nobody else's.
  pool.on('error', () => undefined)
  const clients = {
    http: createClient({ url: door.url, actor: 'ann' }),
    pool: createClient({ pool, actor: 'ann' }),
  }
  return {
    test,
    door,
    agent,
    pool,
    clients,
    async close() {
      await Promise.all([clients.http.close(), clients.pool.close()])
      await Promise.all([door.server.stop(), pool.end()])
    },
  }
}

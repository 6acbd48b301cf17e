import { type CliResult, runCli } from '../cli/run-cli.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { TestAgent } from '../http/test-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

/** A coordinator's doors over a database of the test's own, and an agent that does as it is told. */
export interface Doors {
  readonly test: TestDatabase
  readonly http: HttpDoor
  readonly agent: TestAgent
  /** Over HTTP. */
  interlock(...args: readonly string[]): Promise<CliResult>
  /** Straight on the database. */
  interlockOnDatabase(...args: readonly string[]): Promise<CliResult>
  close(): Promise<void>
}

/** Over this database, or a new one. */
export async function openDoors(of?: TestDatabase): Promise<Doors> {
  const test = of ?? (await createTestDatabase())
  const http = await openHttpDoor(test)
  const agent = await TestAgent.register(test, { slots: 20 })
  return {
    test,
    http,
    agent,
    interlock: (...args) => runCli(args, { env: { INTERLOCK_URL: http.url } }),
    interlockOnDatabase: (...args) => runCli(args, { env: { DATABASE_URL: test.url } }),
    close: () => http.server.stop(),
  }
}

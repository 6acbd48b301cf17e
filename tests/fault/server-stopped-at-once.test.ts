import { afterEach, describe, expect, test } from 'vitest'
import { createSilentLogger } from '../../src/observability/logger.ts'
import type { Binaries } from '../../src/store/embedded/binaries.ts'
import { type Coordinator, createCoordinator } from '../../src/worker/worker.ts'
import { brokenPromises, Load, nothingBroken } from '../support/load.ts'
import { OwnServer, olderBinaries } from '../support/own-server.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 7: `pg_ctl stop -m immediate` under load, and a backend killed with -9. How fast the throughput is back is
// measured by server-stopped-at-once.long.test.ts.

let server: OwnServer
let coordinator: Coordinator

async function begin(binaries?: Binaries): Promise<void> {
  server = await OwnServer.start(binaries === undefined ? {} : { binaries })
  coordinator = createCoordinator({ database: server.open(), logger: createSilentLogger() })
  await coordinator.start()
}

afterEach(async () => {
  await coordinator.stop()
  await server.dispose()
})

const older = olderBinaries()

describe.each([
  { name: 'the embedded Postgres', binaries: undefined, isThere: true },
  {
    name: older === null ? 'an older one (skipped: `npm test` found none on this machine)' : `Postgres ${older.major}`,
    binaries: older ?? undefined,
    isThere: older !== null,
  },
])('on $name', ({ binaries, isThere }) => {
  test.skipIf(!isThere)(
    'nothing acknowledged is lost or done twice when the server is stopped at once under load, twice, and all drains',
    async () => {
      await begin(binaries)
      const database = server.open()
      const load = new Load({ database })
      for (let round = 0; round < 2; round += 1) {
        await load.flows(200)
        await server.stopAtOnce()
        await server.startAgain()
      }
      await load.flows(200)
      await load.drain()
      expect(load.failures).toEqual([])
      expect(load.refusals).toBeGreaterThan(0)
      expect(await brokenPromises(database, load)).toEqual(nothingBroken)
      expect(await database.query('select * from interlock.violations')).toEqual([])
      // Its ringer stops by itself when the database goes away in the wrong moment: a new bell is answered all the same.
      await database.query(`select interlock.ring(array['default/autonomous'])`)
      await waitFor(
        async () => (await database.query('select from graphile_worker.jobs where locked_at is null')).length === 0,
        {
          what: 'the bells to be answered',
        },
      )
      console.log(`${load.enqueued.size} enqueued, ${load.completed.size} completed, ${load.refusals} times refused`)
    },
  )
})

test('nor when a backend is killed with -9 under load, and the server recovers from that', async () => {
  await begin()
  const database = server.open()
  const load = new Load({ database })
  await load.flows(200)
  const [backend] = await server
    .open()
    .query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'active' limit 1`,
    )
  process.kill(backend?.pid ?? 0, 'SIGKILL')
  await load.flows(400)
  await load.drain()
  expect(load.failures).toEqual([])
  expect(load.refusals).toBeGreaterThan(0)
  expect(await brokenPromises(database, load)).toEqual(nothingBroken)
  expect(await database.query('select * from interlock.violations')).toEqual([])
})

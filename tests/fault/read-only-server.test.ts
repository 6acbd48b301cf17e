import { expect, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { SteadyConnection } from '../../src/store/steady-connection.ts'
import { testInWorld } from '../agent/agent-world.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 9: connected to a server that takes no writes. Sessions that were opened meanwhile stay read-only after it takes
// them again, as do those of an old primary: they have to be dropped. A hot standby: standby-promoted.test.ts.

/** New sessions take no writes, and all are new. */
async function setReadOnly(db: TestDatabase, isReadOnly: boolean): Promise<void> {
  const admin = new Database({ url: db.url, applicationName: 'tests: admin', poolSize: 1 })
  await admin.query('set default_transaction_read_only = off')
  await admin.query(`alter database ${db.name} set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`)
  if (isReadOnly) {
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
  }
  await admin.end()
}

test('a read-only server is noticed: readyz is false and writes are 503; once it takes writes, so do we, on new sessions', async () => {
  const db = await createTestDatabase()
  const door = await openHttpDoor(db)
  const databaseSays = async () =>
    (await door.get('/readyz')).json.checks.find(({ name }: { name: string }) => name === 'database')
  expect((await door.post('/jobs', { task: 't', id: 'before' })).status).toBe(201)
  await setReadOnly(db, true)
  await waitFor(async () => (await databaseSays()).reason === 'the server is read-only', { what: 'readyz to say why' })
  const refused = await door.post('/jobs', { task: 't', id: 'meanwhile' })
  expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '2'])
  // Several idle sessions, each of which would stay read-only.
  await Promise.all([1, 2, 3, 4].map(() => db.query('select pg_sleep(0.05)')))
  await setReadOnly(db, false)
  await waitFor(async () => (await door.get('/readyz')).status === 200, { what: 'readyz to be true' })
  for (let n = 0; n < 10; n += 1) expect((await door.post('/jobs', { task: 't' })).status).toBe(201)
  expect(
    (await db.query(`select id from interlock.jobs where id in ('before', 'meanwhile')`)).map(({ id }) => id),
  ).toEqual(['before'])
  await door.server.stop()
})

test('the connection of a heartbeat is dropped by the refusal, too', async () => {
  const db = await createTestDatabase()
  const heartbeat = new SteadyConnection(db.database, { applicationName: 'interlock heartbeat', limitMs: 2000 })
  await setReadOnly(db, true)
  const write = () => heartbeat.query(`select nextval('interlock.job_numbers')`)
  await expect(write()).rejects.toMatchObject({ code: 'unavailable' })
  await setReadOnly(db, false)
  await write()
  await heartbeat.close()
})

testInWorld('an agent keeps its job through it, and finishes it afterwards', async ({ world, expect }) => {
  const agent = await world.startAgent({ tasks: { wait: { command: ['sh', '-c', 'sleep 2; echo "{}"'] } } })
  const { id } = agent
  const job = await world.enqueue({ task: 'wait', user: 'alice' })
  await world.untilStatus(job, 'running')
  await setReadOnly(world.test, true)
  await waitFor(() => world.processes().length === 0, { what: 'its process to end, with nobody to tell it to' })
  expect(await world.statusOf(job)).toBe('running')
  await setReadOnly(world.test, false)
  await world.untilStatus(job, 'completed')
  expect(await world.timelineOf(job)).toEqual(['enqueued', 'assigned', 'started', 'completed'])
  expect(agent.id).toBe(id)
})

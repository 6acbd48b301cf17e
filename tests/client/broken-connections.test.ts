import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/entry.ts'
import { openHttpDoor } from '../http/http-door.ts'
import { waitFor } from '../support/wait-for.ts'
import { openTwoWays, type TwoWays } from './two-ways.ts'

interface Cuttable {
  readonly connection: { readonly stream: { destroy(): void } }
}

let world: TwoWays
beforeAll(async () => {
  world = await openTwoWays()
})
afterAll(() => world.close())

describe('wait()', () => {
  it('goes on waiting while a coordinator is replaced by another one', async () => {
    const first = await openHttpDoor(world.test)
    const client = createClient({ url: first.url })
    const job = await client.enqueue('work')
    const waiting = client.wait(job)
    const looks = `select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%w.place::integer%'`
    await waitFor(async () => (await world.pool.query(looks)).rows.length > 0, { what: 'the job to be waited for' })
    await first.server.stop()
    const second = await openHttpDoor(world.test, { port: Number(new URL(first.url).port) })
    await world.agent.complete(await world.agent.claimOne(), { over: true })
    expect(await waiting).toMatchObject({ status: 'completed', result: { over: true } })
    await client.close()
    await second.server.stop()
  })

  it('says at once that nobody is there, where nobody ever was', async () => {
    const client = createClient({ url: 'http://127.0.0.1:9' })
    await expect(client.wait('a1')).rejects.toMatchObject({ name: 'InterlockError', code: 'unavailable' })
  })
})

describe('a client on a pool', () => {
  it('outlives a connection that breaks in the middle of its statement, and says unavailable', async () => {
    const client = world.clients.pool
    let used: Cuttable | null = null
    world.pool.once('acquire', (acquired) => {
      used = acquired as unknown as Cuttable
    })
    const blocker = await world.test.database.connect()
    await blocker.query('begin')
    await blocker.query('lock table interlock.jobs')
    const enqueued = client.enqueue('work').then(
      () => null,
      (error: unknown) => error,
    )
    const waiting = `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%enqueue_jobs%'`
    await waitFor(async () => (await world.test.query(waiting)).length === 1, { what: 'the statement to wait' })
    // Without a word, as a proxy does that has been restarted.
    ;(used as Cuttable | null)?.connection.stream.destroy()
    expect(await enqueued).toMatchObject({ name: 'InterlockError', code: 'unavailable' })
    await blocker.query('rollback')
    await blocker.close()
    expect(await client.enqueue('work')).toMatchObject({ status: 'pending' })
  })

  it('leaves the pool open when it is closed, and what still waits is told', async () => {
    const client = createClient({ pool: world.pool })
    const job = await client.enqueue('work', {}, { start: false })
    const waiting = client.wait(job)
    const following = client.output(job).next()
    const ended = [waiting, following].map((one) => expect(one).rejects.toThrow('the client was closed'))
    await waitFor(async () => (await client.job(job.id)).status === 'paused', { what: 'the job to be there' })
    await client.close()
    await Promise.all(ended)
    const { rows } = await world.pool.query('select 1')
    expect(rows).toHaveLength(1)
  })
})

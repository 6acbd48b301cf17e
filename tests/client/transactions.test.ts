import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Client } from '../../src/client/entry.ts'
import { openTwoWays, type TwoWays } from './two-ways.ts'

let world: TwoWays
let client: Client
let own: pg.Pool
let kysely: Kysely<Record<string, never>>

beforeAll(async () => {
  world = await openTwoWays()
  client = world.clients.pool
  own = new pg.Pool({ connectionString: world.test.url, max: 2 })
  // With the plugin that renames columns, which must not rename ours.
  kysely = new Kysely({ dialect: new PostgresDialect({ pool: own }), plugins: [new CamelCasePlugin()] })
  await own.query('create table orders (id text)')
})
afterAll(async () => {
  await kysely.destroy()
  await world.close()
})

const exists = async (id: string) =>
  (await world.test.query('select from interlock.jobs where id = $1', [id])).length === 1
const ordered = async (id: string) => (await own.query('select from orders where id = $1', [id])).rows.length === 1

async function inPg<Result>(work: (transaction: pg.PoolClient) => Promise<Result>, begin = 'begin'): Promise<Result> {
  const transaction = await own.connect()
  try {
    await transaction.query(begin)
    const result = await work(transaction)
    await transaction.query('commit')
    return result
  } catch (error) {
    await transaction.query('rollback')
    throw error
  } finally {
    transaction.release()
  }
}

const noSuchThing = new Error('rolled back')

describe('enqueue() in a transaction of pg', () => {
  it('is seen with what else the transaction did: by nobody before the commit, and by all after it', async () => {
    const job = await inPg(async (transaction) => {
      await transaction.query(`insert into orders values ('pg-1')`)
      const enqueued = await client.enqueue('ship', { order: 'pg-1' }, { id: 'pg-1', transaction })
      expect(enqueued).toEqual({ id: 'pg-1', status: 'pending', is_duplicate: false })
      expect(await exists('pg-1')).toBe(false)
      return enqueued
    })
    expect(await client.job(job.id)).toMatchObject({ payload: { order: 'pg-1' } })
    expect(await ordered('pg-1')).toBe(true)
  })

  it('is gone with it when it is rolled back: several jobs, and a key, which may be used again', async () => {
    const jobs = [{ task: 'ship', id: 'pg-2' } as const, { task: 'bill', id: 'pg-3' } as const] as const
    const rolledBack = inPg(async (transaction) => {
      await client.enqueueMany(jobs, { transaction, idempotencyKey: 'order-2' })
      throw noSuchThing
    })
    await expect(rolledBack).rejects.toBe(noSuchThing)
    expect([await exists('pg-2'), await exists('pg-3')]).toEqual([false, false])
    await inPg((transaction) => client.enqueueMany(jobs, { transaction, idempotencyKey: 'order-2' }))
    expect([await exists('pg-2'), await exists('pg-3')]).toEqual([true, true])
  })

  it('is refused as the verb refuses it, where the isolation does not let it see: a unique_key at serializable', async () => {
    const refused = inPg(
      (transaction) => client.enqueue('ship', {}, { id: 'pg-4', unique_key: 'one', transaction }),
      'begin isolation level serializable',
    )
    await expect(refused).rejects.toMatchObject({ name: 'InterlockError', code: 'wrong_transaction' })
    expect(await exists('pg-4')).toBe(false)
    await inPg(
      (transaction) => client.enqueue('ship', {}, { id: 'pg-5', transaction }),
      'begin isolation level serializable',
    )
    expect(await exists('pg-5')).toBe(true)
  })

  it('refuses what is no transaction: a pool, a client before its BEGIN, a client over HTTP', async () => {
    const idle = await own.connect()
    try {
      for (const [name, enqueued] of [
        ['a pool', client.enqueue('ship', {}, { id: 'pg-6', transaction: own as unknown as pg.PoolClient })],
        ['an idle client', client.enqueue('ship', {}, { id: 'pg-6', transaction: idle })],
        ['kysely itself', client.enqueue('ship', {}, { id: 'pg-6', transaction: kysely })],
        ['HTTP', world.clients.http.enqueue('ship', {}, { id: 'pg-6', transaction: idle })],
      ] as const) {
        await expect(enqueued, name).rejects.toMatchObject({ code: 'invalid_argument', field: 'transaction' })
      }
    } finally {
      idle.release()
    }
    expect(await exists('pg-6')).toBe(false)
  })
})

describe('enqueue() in a transaction of kysely', () => {
  it('is seen with what else the transaction did', async () => {
    const job = await kysely.transaction().execute(async (transaction) => {
      await sql`insert into orders values ('kysely-1')`.execute(transaction)
      return client.enqueue('ship', { order: 'kysely-1' }, { id: 'kysely-1', transaction })
    })
    expect(job).toEqual({ id: 'kysely-1', status: 'pending', is_duplicate: false })
    expect([await exists('kysely-1'), await ordered('kysely-1')]).toEqual([true, true])
  })

  it('is gone with it when it is rolled back', async () => {
    const rolledBack = kysely.transaction().execute(async (transaction) => {
      await client.enqueue('ship', {}, { id: 'kysely-2', transaction })
      throw noSuchThing
    })
    await expect(rolledBack).rejects.toBe(noSuchThing)
    expect(await exists('kysely-2')).toBe(false)
  })

  it('throws an InterlockError for what the verb refuses', async () => {
    const refused = kysely
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute((transaction) => client.enqueue('ship', {}, { id: 'kysely-3', unique_key: 'two', transaction }))
    await expect(refused).rejects.toMatchObject({ name: 'InterlockError', code: 'wrong_transaction' })
  })
})

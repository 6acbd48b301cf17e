import { expect, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { forgivingPool } from '../../src/store/forgiving-pool.ts'
import { createTestDatabase } from '../support/test-database.ts'

test('a connection that is given back twice is in the pool once, for whoever asks in whatever way', async () => {
  const { url } = await createTestDatabase()
  const database = new Database({ url, applicationName: 'tests', poolSize: 2 })
  const pool = forgivingPool(database.pool)

  const promised = await pool.connect()
  const release = promised.release
  promised.release()
  promised.release()
  expect({ total: pool.totalCount, idle: pool.idleCount }).toEqual({ total: 1, idle: 1 })

  await new Promise<void>((resolve, reject) => {
    pool.connect((error, client, giveBack) => {
      if (error !== undefined) return reject(error)
      giveBack()
      client?.release()
      resolve()
    })
  })
  expect({ total: pool.totalCount, idle: pool.idleCount }).toEqual({ total: 1, idle: 1 })

  // What was given back is not taken away from who has it next.
  const again = await pool.connect()
  release()
  expect(pool.idleCount).toBe(0)
  again.release()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await database.end()
})

test('a connection that cannot be made is refused in the words of the pool', async () => {
  const database = new Database({ url: 'postgres://nobody@127.0.0.1:1/nowhere', applicationName: 'tests' })
  const pool = forgivingPool(database.pool)
  await expect(pool.connect()).rejects.toThrow('ECONNREFUSED')
  await new Promise<void>((resolve) => {
    pool.connect((error) => {
      expect(String(error)).toContain('ECONNREFUSED')
      resolve()
    })
  })
  await database.end()
})
